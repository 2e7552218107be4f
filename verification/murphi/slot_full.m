-- SPDX-License-Identifier: MIT
-- A slot with the whole chunk number.
-- Written by hand from the protocol's description, as a second opinion on verification/systems/slot.py
-- by another checker (Rumur). One slot in a switch, two sets; workers send chunk after chunk.

const
  workers: 2;
  chunks: 3;
  capacity: 2;  -- packets on one link in one direction; more are lost
  reorder: 1;   -- 1: a packet may overtake others on its link
  faults: 1;    -- 1: any packet may be lost, any may come twice

type
  worker_t: 0 .. workers - 1;
  chunk_t: 0 .. chunks - 1;
  progress_t: 0 .. chunks;
  place_t: 0 .. capacity - 1;
  -- How often each worker's contribution to each chunk is inside.
  sum_t: array [worker_t] of array [chunk_t] of 0 .. workers;
  up_t: record n: 0 .. capacity; at: array [place_t] of chunk_t; end;
  result_t: record chunk: chunk_t; sum: sum_t; end;
  down_t: record n: 0 .. capacity; at: array [place_t] of result_t; end;
  set_t: record chunk: -1 .. chunks - 1; seen: array [worker_t] of boolean; count: 0 .. workers - 1; sum: sum_t; end;

var
  chunk: array [worker_t] of progress_t;
  started: array [worker_t] of boolean;
  up: array [worker_t] of up_t;
  down: array [worker_t] of down_t;
  slot: array [0 .. 1] of set_t;

procedure send(w: worker_t; c: chunk_t);
begin
  if up[w].n < capacity then
    up[w].at[up[w].n] := c;
    up[w].n := up[w].n + 1;
  endif;
endprocedure;

procedure answer(w: worker_t; c: chunk_t; var s: sum_t);
begin
  if down[w].n < capacity then
    down[w].at[down[w].n].chunk := c;
    down[w].at[down[w].n].sum := s;
    down[w].n := down[w].n + 1;
  endif;
endprocedure;

-- What is not in use is cleared, so that equal situations are equal states.
procedure take_up(w: worker_t; i: place_t);
begin
  for k: place_t do
    if k >= i & k + 1 < up[w].n then up[w].at[k] := up[w].at[k + 1]; endif;
  endfor;
  up[w].n := up[w].n - 1;
  clear up[w].at[up[w].n];
endprocedure;

procedure take_down(w: worker_t; i: place_t);
begin
  for k: place_t do
    if k >= i & k + 1 < down[w].n then down[w].at[k] := down[w].at[k + 1]; endif;
  endfor;
  down[w].n := down[w].n - 1;
  clear down[w].at[down[w].n];
endprocedure;

procedure receive(w: worker_t; c: chunk_t);
begin
  alias mine: slot[c % 2] do
    if c < mine.chunk then return; endif;
    if c > mine.chunk then
      clear mine;
      mine.chunk := c;
    endif;
    if mine.seen[w] then
      if mine.count = 0 then answer(w, c, mine.sum); endif;
    else
      if mine.count = 0 then clear mine.sum; endif;
      mine.sum[w][c] := mine.sum[w][c] + 1;
      mine.seen[w] := true;
      mine.count := (mine.count + 1) % workers;
      if mine.count = 0 then
        for v: worker_t do answer(v, c, mine.sum); endfor;
      endif;
    endif;
  endalias;
endprocedure;

startstate
begin
  clear chunk;
  clear started;
  clear up;
  clear down;
  clear slot;
  slot[0].chunk := -1;
  slot[1].chunk := -1;
endstartstate;

ruleset w: worker_t do
  rule "start or time out"
    chunk[w] < chunks & up[w].n < capacity
  ==>
  begin
    started[w] := true;
    send(w, chunk[w]);
  endrule;
endruleset;

ruleset w: worker_t; i: place_t do
  rule "the switch receives"
    i < up[w].n & (i = 0 | reorder = 1)
  ==>
  var c: chunk_t;
  begin
    c := up[w].at[i];
    take_up(w, i);
    receive(w, c);
  endrule;

  rule "a worker receives"
    i < down[w].n & (i = 0 | reorder = 1)
  ==>
  var r: result_t;
  begin
    r := down[w].at[i];
    take_down(w, i);
    if chunk[w] < chunks & r.chunk = chunk[w] then
      assert forall v: worker_t do forall c: chunk_t do
        (c = chunk[w] & r.sum[v][c] = 1) | (c != chunk[w] & r.sum[v][c] = 0)
      endforall endforall "wrong sum";
      chunk[w] := chunk[w] + 1;
      if chunk[w] < chunks then send(w, chunk[w]); endif;
    endif;
  endrule;

  rule "a contribution is lost"
    faults = 1 & i < up[w].n
  ==>
  begin take_up(w, i); endrule;

  rule "a result is lost"
    faults = 1 & i < down[w].n
  ==>
  begin take_down(w, i); endrule;

  rule "a contribution comes twice"
    faults = 1 & i < up[w].n & up[w].n < capacity
  ==>
  begin
    -- With two places the copy stands behind its original.
    send(w, up[w].at[i]);
  endrule;

  rule "a result comes twice"
    faults = 1 & i < down[w].n & down[w].n < capacity
  ==>
  begin
    answer(w, down[w].at[i].chunk, down[w].at[i].sum);
  endrule;
endruleset;
