/* SPDX-License-Identifier: MIT */
/*
 * boot.S - from the loader's jump to the first C function. Given back after boot.
 *
 * The loader has put the image at its physical addresses, its zero-filled parts zeroed (ELF), and jumps here in
 * 32-bit protected mode, flat segments, paging off, interrupts off: ebx = physical address of struct hvm_start_info.
 * Spec: docs/spec/boot.md; the PVH boot protocol.
 */
#include "cpu.h"

#define PHYS(symbol) ((symbol) - X86_IMAGE_BASE)

#define START_INFO_MODULES 12   /* offsets of struct hvm_start_info */
#define START_INFO_MODLIST 16

#define COM1 0x3f8
#define POLLS_MOST 100000
#define MEMORY_PROBE 0x4b4f5a4f

#define CPUID_EXT_D_NX_LM ((1 << 20) | (1 << 29))
#define CPUID_1_C_RDRAND (1 << 30)
#define EFER_MSR 0xc0000080
#define EFER_LME_NXE ((1 << 8) | (1 << 11))
#define BOOT_CR4_PAE (1 << 5)
#define BOOT_CR0_PG_WP_PE ((1 << 31) | (1 << 16) | 1)

#define PTE_TABLE 3             /* present, writable */
#define PTE_LARGE 0x83
#define ROOT_DIRECT 256
#define ROOT_IMAGE 511
#define IMAGE_GIB 510           /* of the last 512 */

        .section .note.Xen, "a", @note
        .balign 4
        .long   4, 4, 18        /* name bytes, value bytes, XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .long   PHYS(x86_boot)

        .section .text.boot, "ax", @progbits
        .code32
        .globl  x86_boot
x86_boot:
        /* Time 0. */
        rdtsc
        movl    %eax, PHYS(x86 + X86_CLOCK_BASE)
        movl    %edx, PHYS(x86 + X86_CLOCK_BASE) + 4
        cli
        cld
        movl    $PHYS(boot_stack_top), %esp
        movl    %ebx, PHYS(boot_start_info)

        call    serial_start

        /* There is memory for all of the image; that its first pages run proves it for these alone. */
        movl    $PHYS(x86_image_end) - 4, %edi
        movl    $PHYS(text_no_memory), %esi
        movl    (%edi), %eax
        movl    $MEMORY_PROBE, (%edi)
        cmpl    $MEMORY_PROBE, (%edi)
        jne     refuse
        movl    %eax, (%edi)

        /* The first line, before anything else that can go wrong. */
        movl    $PHYS(x86_banner), %esi
        call    serial_put

        /* Memory so small that the loader put the initrd over the kernel's variables: nothing else can be said. */
        cmpl    $0, START_INFO_MODULES(%ebx)
        je      0f
        movl    START_INFO_MODLIST(%ebx), %edi
        movl    (%edi), %eax
        cmpl    $PHYS(x86_boot_end), %eax
        jb      0f
        cmpl    $PHYS(x86_image_end), %eax
        jae     0f
        movl    $PHYS(text_initrd_over_kernel), %esi
        jmp     refuse

        /* Long mode and no-execute, or a line that says why not. */
0:
        movl    $0x80000000, %eax
        cpuid
        cmpl    $0x80000001, %eax
        jb      no_long_mode
        movl    $0x80000001, %eax
        cpuid
        andl    $CPUID_EXT_D_NX_LM, %edx
        cmpl    $CPUID_EXT_D_NX_LM, %edx
        jne     no_long_mode

        /* Tables: the low 4 GiB where they are, in the direct map, and 1 GiB of them under the image. */
        movl    $PHYS(boot_large), %edi
        movl    $PTE_LARGE, %eax
1:      movl    %eax, (%edi)
        addl    $8, %edi
        addl    $0x200000, %eax
        jnc     1b
        movl    $PHYS(boot_large) + PTE_TABLE, %eax
        movl    %eax, PHYS(boot_gib_high) + IMAGE_GIB * 8
        movl    $PHYS(boot_gib_low), %edi
        movl    $4, %ecx
2:      movl    %eax, (%edi)
        addl    $8, %edi
        addl    $0x1000, %eax
        loop    2b
        movl    $PHYS(boot_root), %edi
        movl    $PHYS(boot_gib_low) + PTE_TABLE, %eax
        movl    %eax, (%edi)
        movl    %eax, ROOT_DIRECT * 8(%edi)
        movl    $PHYS(boot_gib_high) + PTE_TABLE, ROOT_IMAGE * 8(%edi)

        /* Long mode. */
        movl    $BOOT_CR4_PAE, %eax
        movl    %eax, %cr4
        movl    %edi, %cr3
        movl    $EFER_MSR, %ecx
        rdmsr
        orl     $EFER_LME_NXE, %eax
        wrmsr
        movl    $BOOT_CR0_PG_WP_PE, %eax
        movl    %eax, %cr0
        lgdt    PHYS(boot_gdt_pointer)
        ljmp    $X86_KERNEL_CS, $PHYS(boot_long)

no_long_mode:
        movl    $PHYS(text_no_long_mode), %esi
refuse: call    serial_put
        movb    $0x12, %al
        outb    %al, $0xf4
        movw    $0x604, %dx
        movw    $0x2000, %ax
        outw    %ax, %dx
3:      cli
        hlt
        jmp     3b

/* Here, and not with the other texts, it is out of the way of an archive at the end of so little memory. */
text_no_memory:
        .ascii  "kozo: this machine has less memory than the kernel takes for itself; give it 64 MiB (-m 64)\r\n"
        .asciz  "KOZO PANIC\r\n"

/* COM1: 115200 8N1, FIFOs on and empty, no interrupts. A port that is not there is harmless. */
serial_start:
        movl    $PHYS(serial_setup), %esi
        movl    $(serial_setup_end - serial_setup) / 2, %ecx
4:      lodsw
        movzbl  %al, %edx
        addl    $COM1, %edx
        movb    %ah, %al
        outb    %al, %dx
        loop    4b
        ret

/* The string at esi; a byte that is not taken in time is lost. */
serial_put:
        movl    $POLLS_MOST, %ecx
        movl    $COM1 + 5, %edx
5:      inb     %dx, %al
        cmpb    $0xff, %al
        je      7f
        testb   $0x20, %al
        jnz     6f
        loop    5b
6:      lodsb
        testb   %al, %al
        jz      7f
        movl    $COM1, %edx
        outb    %al, %dx
        jmp     serial_put
7:      ret

        .code64
boot_long:
        movq    $8f, %rax
        jmpq    *%rax
8:      movl    $X86_KERNEL_SS, %eax
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %fs
        movl    %eax, %gs
        movq    $x86_stack_cpu, %rsp

        /* The stack protector's value: hardware's, else the time's; no zero byte but the first, which ends strings. */
        movl    $1, %eax
        cpuid
        testl   $CPUID_1_C_RDRAND, %ecx
        jz      9f
        rdrand  %rbx
        jc      10f
9:      rdtsc
        shlq    $32, %rdx
        orq     %rdx, %rax
        movabsq $0x9e3779b97f4a7c15, %rbx
        imulq   %rax, %rbx
        bswapq  %rbx
10:     xorb    %bl, %bl
        movq    %rbx, __stack_chk_guard(%rip)

        xorl    %ebp, %ebp
        movl    boot_start_info(%rip), %edi
        call    x86_start               /* does not return */
        ud2

        .section .rodata.boot, "a", @progbits
        .balign 8
boot_gdt:
        .quad   0
        .quad   0x00af9b000000ffff      /* X86_KERNEL_CS */
        .quad   0x00cf93000000ffff      /* X86_KERNEL_SS */
boot_gdt_pointer:
        .word   boot_gdt_pointer - boot_gdt - 1
        .long   PHYS(boot_gdt)
text_initrd_over_kernel:
        .ascii  "\r\nkernel panic: start info: the initrd lies over the kernel, expected apart from it: "
        .asciz  "give the machine more memory (qemu: -m)\r\nKOZO PANIC\r\n"
text_no_long_mode:
        .asciz  "kozo: this processor cannot run it: long mode (64 bits) and no-execute pages are needed\r\n"
/* Register and value: interrupts off, divisor 1, 8N1, FIFO, DTR RTS OUT2. */
serial_setup:
        .byte   1, 0,  3, 0x80,  0, 1,  1, 0,  3, 3,  2, 7,  4, 0x0b
serial_setup_end:

        .section .bss.boot, "aw", @nobits
        .balign 4096
boot_root:      .skip 4096
boot_gib_low:   .skip 4096
boot_gib_high:  .skip 4096
boot_large:     .skip 4 * 4096
boot_stack:     .skip 64        /* of the calls above; in the image's first pages */
boot_stack_top:
boot_start_info: .skip 4

        .section .note.GNU-stack, "", @progbits
