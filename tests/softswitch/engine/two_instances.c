/* SPDX-License-Identifier: MIT */
/* Two instances of one compiled l2_switch; only the first knows the destination. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "ss.h"
#include "ss_control.h"

#define GET(name) __typeof__(&name) name##_p = (__typeof__(&name))dlsym(lib, #name)

static void transmit(void *ctx, uint32_t port, const uint8_t *data, uint32_t len)
{
    (void)data;
    snprintf(ctx, 64, "port %u, %u bytes", port, len);
}

int main(int argc, char **argv)
{
    void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (lib == NULL) {
        fprintf(stderr, "usage: two_instances OBJECT (%s)\n", argc > 1 ? dlerror() : "no object");
        return 2;
    }
    GET(ss_create);
    GET(ss_destroy);
    GET(ss_receive);
    GET(ss_find);
    GET(ss_table_insert);
    char text_a[64] = "nothing", text_b[64] = "nothing";
    ss_hooks hooks_a = { .ctx = text_a, .transmit = transmit }, hooks_b = { .ctx = text_b, .transmit = transmit };
    ss_switch *a = ss_create_p(1, &hooks_a), *b = ss_create_p(1, &hooks_b);
    const uint8_t mac[6] = { 0, 0, 0, 0, 0, 9 }, port[2] = { 0, 7 };
    int64_t handle = ss_table_insert_p(a, (uint32_t)ss_find_p(SS_OBJ_TABLE, "Ig.mac"), mac, NULL, 0,
                                       ss_find_p(SS_OBJ_ACTION, "Ig.forward"), port, sizeof port);
    uint8_t packet[20] = { 0, 0, 0, 0, 0, 9 };
    ss_receive_p(a, 1, packet, sizeof packet, 0);
    ss_receive_p(b, 1, packet, sizeof packet, 0);
    printf("a: %s\nb: %s\n", text_a, text_b);
    ss_destroy_p(a);
    ss_destroy_p(b);
    return handle >= 0 ? 0 : 1;
}
