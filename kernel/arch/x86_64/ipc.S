/* SPDX-License-Identifier: MIT */
/*
 * ipc.S - the fast path: CALL and REPLY_RECV when the other side waits and nothing is special.
 *
 * An optimisation of ipc/endpoint.c and ipc/reply.c and never a second meaning: whatever it does not admit goes the
 * slow way with nothing changed, and what it does leaves the kernel as the slow way would.
 *
 * The message stays where it is: rdx r10 r8 r9 r12 r13 r14 r15 are not touched. What it uses: rax rcx r11 rbx rbp,
 * saved or dead, and rdi rsi, which the receiver gets anew.
 *
 * Not here:  single steps, deadlines, floating point, FS bases, bound notifications, faults, foreign threads: each sets
 *            a bit in the TCB's byte `slow`. Extra words, capabilities, flags: each is in the low half of the info word.
 * Cost:      instructions from SYSCALL to SYSRET, entry.S included: see docs/PERFORMANCE.md.
 */
#include "offsets.h"

        .section .text.entry, "ax", @progbits

/* The capability `rdi` of the thread rsp must be an Endpoint with `right`: rax = its slot, ecx = its first word. */
.macro WANT_ENDPOINT right, otherwise
        cmpq    TCB_CSPACE_SIZE(%rsp), %rdi
        jae     \otherwise
        movq    %rdi, %rax
        shlq    $6, %rax                /* KOZO_SLOT_BYTES */
        addq    TCB_CSPACE_SLOTS(%rsp), %rax
        movl    SLOT_CAP(%rax), %ecx    /* kind, rights, user rights, size */
        movl    %ecx, %ebx
        andl    $(\right << 8 | 0xff), %ebx
        cmpl    $(\right << 8 | ENDPOINT_KIND), %ebx
        jne     \otherwise
        movq    SLOT_CAP_OBJECT(%rax), %rbx
.endm

/* Nobody may be ready who is more urgent than the thread `to`, nor an equal whose slice is not timed. Uses r11. */
.macro MOST_URGENT to, otherwise
        movzbl  TCB_PRIORITY(\to), %r11d
        cmpl    KERNEL(KERNEL_SCHED_ADMIT), %r11d
        jg      \otherwise
.endm

/* The thread rsp stops here: what entry.S has not saved of it yet. Uses r11. */
.macro SUSPEND state
        movq    X86(X86_USER_RSP), %r11
        movq    %r11, FRAME_RSP(%rsp)
        movq    %rsi, FRAME_RSI(%rsp)
        movl    $FRAME_BY_SYSCALL, FRAME_VECTOR(%rsp)
        movb    $\state, TCB_STATE(%rsp)
.endm

/* Go on as the thread rbp, whose rdi and rsi are set: as arch_thread_switch, for threads without FPU and FS base. */
.macro SWITCH_AND_LEAVE
        movb    $TCB_IS_READY, TCB_STATE(%rbp)
        movq    %rbp, CPU(CPU_CURRENT)
        leaq    FRAME_BYTES(%rbp), %rax
        movq    %rax, X86(X86_TSS_RSP0)
        xorl    %eax, %eax              /* also its result: no error */
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %fs
        movl    %eax, %gs
        movq    TCB_ROOT(%rbp), %rcx
        cmpq    %rcx, X86(X86_ROOT)
        je      1f
        movq    %rcx, X86(X86_ROOT)
        movq    %rcx, %cr3
1:      movq    FRAME_RIP(%rbp), %rcx
        movq    FRAME_RFLAGS(%rbp), %r11
        movq    FRAME_RSP(%rbp), %rsp
        movq    FRAME_RBX(%rbp), %rbx
        movq    FRAME_RBP(%rbp), %rbp
        sysretq
.endm

/* The info word asks for more than label and eight words: extra words, and nothing else, from a buffer. */
.macro LONG_MESSAGE otherwise
        cmpl    $MOST_EXTRA, %esi
        ja      \otherwise
        cmpq    $0, TCB_BUFFER_AT(%rsp)
        je      \otherwise
.endm

/* They go from buffer to buffer; ecx is kept, rsi gets the info word again. Uses rbx. */
.macro COPY_WORDS
        movl    %ecx, %ebx
        movl    %esi, %ecx
        movq    TCB_BUFFER_AT(%rsp), %rsi
        addq    $BUFFER_WORDS, %rsi
        movq    TCB_BUFFER_AT(%rbp), %rdi
        addq    $BUFFER_WORDS, %rdi
        rep movsq
        movq    FRAME_RSI(%rsp), %rsi
        movl    %ebx, %ecx
.endm

/* CALL: nothing special about the caller, */
.macro CALL long
        cmpb    $0, TCB_SLOW(%rsp)
        jne     call_slow
        WANT_ENDPOINT CALL_RIGHT, call_slow
        /* or the receiver, which is the only one that waits. */
        movq    ENDPOINT_RECEIVERS(%rbx), %rbp
        testq   %rbp, %rbp
        jz      call_slow
        cmpb    $0, TCB_SLOW(%rbp)
        jne     call_slow
        cmpq    %rbp, TCB_NEXT(%rbp)
        jne     call_slow
        cmpq    $0, TCB_LEVEL_NEXT(%rbp)
        jne     call_slow
        .ifnb   \long
        cmpq    $0, TCB_BUFFER_AT(%rbp)
        je      call_slow
        .endif
        MOST_URGENT %rbp, call_slow
        /* ---- commit ---- The receiver leaves the queue and owes a reply. */
        movq    $0, ENDPOINT_RECEIVERS(%rbx)
        movq    $0, TCB_NEXT(%rbp)
        movq    %rsp, TCB_OWES(%rbp)
        movq    %rbp, TCB_REPLIER(%rsp)
        movb    $MESSAGE_CALL, TCB_MESSAGE(%rsp)
        movb    %ch, TCB_RIGHTS(%rsp)
        SUSPEND TCB_IS_CALLING
        .ifnb   \long
        COPY_WORDS
        .endif
        /* Badge; label and user rights. */
        movq    SLOT_CAP_A(%rax), %rdi
        andl    $0x00ff0000, %ecx
        shll    $8, %ecx
        orq     %rcx, %rsi
        SWITCH_AND_LEAVE
.endm

/* REPLY_RECV: nothing special about the server, */
.macro REPLY_RECV long
        cmpb    $0, TCB_SLOW(%rsp)
        jne     reply_recv_slow
        WANT_ENDPOINT RECV_RIGHT, reply_recv_slow
        /* the caller it owes, or the endpoint, where nobody waits. */
        movq    TCB_OWES(%rsp), %rbp
        testq   %rbp, %rbp
        jz      reply_recv_slow
        cmpb    $0, TCB_SLOW(%rbp)
        jne     reply_recv_slow
        .ifnb   \long
        cmpq    $0, TCB_BUFFER_AT(%rbp)
        je      reply_recv_slow
        .endif
        movq    ENDPOINT_SENDERS(%rbx), %rax
        orq     ENDPOINT_RECEIVERS(%rbx), %rax
        jnz     reply_recv_slow
        MOST_URGENT %rbp, reply_recv_slow
        /* ---- commit ---- The reply right is used; the server is the queue. */
        movq    $0, TCB_OWES(%rsp)
        movq    $0, TCB_REPLIER(%rbp)
        movq    %rsp, ENDPOINT_RECEIVERS(%rbx)
        movq    %rsp, TCB_NEXT(%rsp)
        movq    %rsp, TCB_PREV(%rsp)
        movq    %rbx, TCB_WAITS_FOR(%rsp)
        SUSPEND TCB_IS_RECEIVING
        .ifnb   \long
        COPY_WORDS
        .endif
        /* A reply has no badge and no user rights. */
        xorl    %edi, %edi
        SWITCH_AND_LEAVE
.endm

/*
 * Before: rax = 0 (CALL) or 1 (REPLY_RECV), and the flags of its comparison with 1; rsp = struct tcb *, current; its
 *         frame has rcx, r11, rbx and rbp; all other registers are the user's.
 * After:  the partner runs; or x86_syscall_slow, with the registers as they came.
 */
        .globl  x86_ipc
        .balign 16
x86_ipc:
        je      reply_recv
        testl   %esi, %esi
        jnz     call_long
        CALL
call_long:
        LONG_MESSAGE call_slow
        CALL long
call_slow:
        xorl    %eax, %eax
        jmp     x86_syscall_slow

        .balign 16
reply_recv:
        testl   %esi, %esi
        jnz     reply_recv_long
        REPLY_RECV
reply_recv_long:
        LONG_MESSAGE reply_recv_slow
        REPLY_RECV long
reply_recv_slow:
        movl    $1, %eax
        jmp     x86_syscall_slow

        .section .note.GNU-stack, "", @progbits
