// SPDX-License-Identifier: MIT
// The core library of P4_16, from the language specification 1.2.5, appendix "P4 core library".
#ifndef _CORE_P4_
#define _CORE_P4_

error {
    NoError,
    PacketTooShort,
    NoMatch,
    StackOutOfBounds,
    HeaderTooShort,
    ParserTimeout,
    ParserInvalidArgument
}

match_kind {
    exact,
    ternary,
    lpm
}

extern packet_in {
    // Reads a header of fixed size and advances.
    void extract<T>(out T hdr);
    // Reads a header with one varbit field of the given size, a multiple of 8, and advances.
    void extract<T>(out T variableSizeHeader, in bit<32> variableFieldSizeInBits);
    // Reads a fixed-size value without advancing.
    T lookahead<T>();
    // Skips bits.
    void advance(in bit<32> sizeInBits);
    // Packet length in bytes.
    bit<32> length();
}

extern packet_out {
    // Appends a header, if it is valid; structs and stacks field by field.
    void emit<T>(in T hdr);
}

// Ends parsing with the given error unless the check holds.
extern void verify(in bool check, in error toSignal);

// Evaluated at compile time; false stops the compilation.
@pure extern bool static_assert(bool check, string message);
@pure extern bool static_assert(bool check);

@noWarn("unused") action NoAction() {}

#endif
