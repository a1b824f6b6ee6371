/* SPDX-License-Identifier: MIT */
/*
 * abi.h - what the kernel and its users agree on.
 *
 * Owns:      numbers, layouts and bits that cross the system-call boundary; nothing else is shared.
 * Not here:  how a call is made (kozo/syscall.h), what it does (docs/spec).
 * Callers:   the kernel, kozo-sys, programs.
 * Cost:      none: constants and layouts.
 * Spec:      docs/spec/abi.md; tables there are made from the .def files beside this one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KOZO_ABI_MAJOR 1
#define KOZO_ABI_MINOR 0

/* ELF note of a program: owner "KOZO", type 1, two 32-bit words: major, minor. */
#define KOZO_NOTE_OWNER "KOZO"
#define KOZO_NOTE_ABI 1

/* A capability address: an index into the capability space. 0 means none. */
typedef uint64_t kozo_cptr;
typedef uint8_t kozo_rights;

enum kozo_syscall : uint64_t {
#define KOZO_SYSCALL(nr, NAME, name, args, results, text) KOZO_SYS_##NAME = nr,
#include <kozo/syscalls.def>
#undef KOZO_SYSCALL
};
#define KOZO_SYSCALL_LIMIT 100 /* numbers from here on belong to fault handlers */

enum kozo_err : uint32_t {
#define KOZO_ERROR(nr, NAME, text) KOZO_ERR_##NAME = nr,
#include <kozo/errors.def>
#undef KOZO_ERROR
};
#define KOZO_OK KOZO_ERR_OK

enum kozo_kind : uint8_t {
#define KOZO_KIND(nr, NAME, Name, rights, text) KOZO_KIND_##NAME = nr,
#include <kozo/kinds.def>
#undef KOZO_KIND
    KOZO_KIND_COUNT
};

enum kozo_fault : uint32_t {
#define KOZO_FAULT(nr, NAME, text) KOZO_FAULT_##NAME = nr,
#include <kozo/faults.def>
#undef KOZO_FAULT
};

/* Rights. */
#define KOZO_READ 1u
#define KOZO_WRITE 2u
#define KOZO_GRANT 4u
#define KOZO_MAP 8u
#define KOZO_EXECUTE 16u
#define KOZO_RIGHTS_ALL 31u

/*
 * The rights argument of CAP_COPY and CAP_MINT: bits 0-7 rights, bits 8-15 user rights (Endpoint only), both
 * intersected with what the source has; the rest zero, but for:
 */
#define KOZO_RIGHTS(rights, user) ((uint64_t)(rights) | (uint64_t)(user) << 8)
#define KOZO_SAME_RIGHTS 0xffffull
#define KOZO_MINT_FRESH (1ull << 16) /* CAP_MINT: the kernel chooses the badge and returns it */

/* RETYPE: `what` is kind | size bits << 8. Sizes: log2 of bytes (Untyped, Frame) or of slots (CNode), else 0. */
#define KOZO_WHAT(kind, bits) ((uint64_t)(kind) | (uint64_t)(bits) << 8)
#define KOZO_PAGE_BITS 12
#define KOZO_LARGE_BITS 21
#define KOZO_PAGE_SIZE 4096u
#define KOZO_LARGE_SIZE 0x200000u
#define KOZO_SLOT_BYTES 64u
#define KOZO_RETYPE_MAX 256u /* objects in one call */
#define KOZO_UNTYPED_MIN_BITS 6
#define KOZO_UNTYPED_MAX_BITS 40
#define KOZO_CNODE_MIN_BITS 1
#define KOZO_CNODE_MAX_BITS 20
#define KOZO_ENDPOINT_BYTES 128u
#define KOZO_NOTIFICATION_BYTES 128u
#define KOZO_ADDRESS_SPACE_BYTES 8192u

/* Addresses a user space can map: [KOZO_USER_START, KOZO_USER_END). The last page below 2^47 is never mappable. */
#define KOZO_USER_START 0x1000ull
#define KOZO_USER_END 0x7ffffffff000ull

/*
 * IPC info word. From the sender: bits 0-5 extra words (beyond eight), 8-10 capabilities, 11-15 flags, 32-63 label;
 * bits 6, 7 and 16-31 must be zero. To the receiver: 16-23 what happened, 24-31 user rights of the capability used.
 */
#define KOZO_INFO_EXTRA_MASK 0x3full
#define KOZO_INFO_CAPS_SHIFT 8
#define KOZO_INFO_CAPS_MASK (7ull << KOZO_INFO_CAPS_SHIFT)
#define KOZO_INFO_DEADLINE (1ull << 11) /* rbx is an absolute deadline in nanoseconds since boot; 0 = do not block */
#define KOZO_INFO_RECV_CAPS (1ull << 12) /* CALL, RECV, REPLY_RECV: the receive window of the IPC buffer is open */
#define KOZO_INFO_FLAGS_MASK (KOZO_INFO_DEADLINE | KOZO_INFO_RECV_CAPS)
#define KOZO_INFO_RESERVED (0xe0c0ull | 0xffff0000ull)
#define KOZO_INFO_FAULT (1ull << 16)        /* the message is a fault */
#define KOZO_INFO_NOTIFICATION (1ull << 17) /* bits of the bound notification came, as the badge, and no message */
#define KOZO_INFO_REPLY_LOST (1ull << 18)   /* REPLY_RECV: the caller to be answered was gone */
#define KOZO_INFO_DROPPED (1ull << 19)      /* words or capabilities were left out */
#define KOZO_INFO_USER_SHIFT 24
#define KOZO_INFO_LABEL_SHIFT 32

#define KOZO_MSG_REGS 8u   /* words that travel in registers, always */
#define KOZO_MSG_EXTRA 56u /* words in the IPC buffer */
#define KOZO_MSG_CAPS 3u

/* The IPC buffer: 512 bytes in a Frame, at a multiple of 512. */
#define KOZO_BUFFER_BYTES 512u
struct kozo_cap_desc {
    uint32_t slot;       /* in the sender's capability space */
    uint8_t rights;      /* at most these */
    uint8_t user_rights; /* at most these */
    uint8_t flags;       /* KOZO_CAP_MOVE, KOZO_CAP_BADGE */
    uint8_t reserved;
    uint64_t badge; /* with KOZO_CAP_BADGE: set on the copy */
};
#define KOZO_CAP_MOVE 1u
#define KOZO_CAP_BADGE 2u
struct kozo_ipc_buffer {
    uint32_t recv_slot; /* receive window: first slot, in the receiver's own capability space */
    uint16_t recv_count;
    uint8_t sent;     /* written by the kernel: how many capabilities of the last message sent arrived */
    uint8_t received; /* written by the kernel: bit i set = capability i of the last message came, in recv_slot + i */
    struct kozo_cap_desc cap[KOZO_MSG_CAPS];
    uint64_t reserved;
    uint64_t word[KOZO_MSG_EXTRA];
};
static_assert(sizeof(struct kozo_ipc_buffer) == KOZO_BUFFER_BYTES);
static_assert(offsetof(struct kozo_ipc_buffer, word) == 64);

/* CAP_VERIFY's `what`. */
#define KOZO_VERIFY_KIND(w) ((enum kozo_kind)((w) & 0xff))
#define KOZO_VERIFY_RIGHTS(w) ((kozo_rights)((w) >> 8 & 0xff))
#define KOZO_VERIFY_USER(w) ((uint8_t)((w) >> 16 & 0xff))
#define KOZO_VERIFY_SIZE(w) ((uint8_t)((w) >> 24 & 0xff)) /* size bits: Untyped, CNode, Frame */
#define KOZO_VERIFY_SAME (1ull << 32)
#define KOZO_VERIFY_BADGED (1ull << 33)
#define KOZO_VERIFY_DEVICE (1ull << 34)
#define KOZO_VERIFY_MAPPED (1ull << 35)

/* Threads. */
#define KOZO_THREAD_FPU 1u     /* may use x87 and SSE; its state is saved and restored */
#define KOZO_THREAD_FOREIGN 2u /* every system call goes to the fault endpoint */
#define KOZO_PRIORITIES 256u   /* 0 is the most urgent */
#define KOZO_PRIORITY_IDLE 255u

enum kozo_thread_state : uint8_t {
    KOZO_THREAD_STOPPED = 1, /* not started, or suspended */
    KOZO_THREAD_READY,       /* running or able to */
    KOZO_THREAD_SENDING,     /* in an endpoint's queue, with a message or a fault */
    KOZO_THREAD_RECEIVING,   /* in an endpoint's queue, for a message */
    KOZO_THREAD_CALLING,     /* its message was taken; it waits for the reply */
    KOZO_THREAD_WAITING,     /* in a notification's queue, or asleep */
    KOZO_THREAD_FAULTED,     /* stopped by a fault that nobody handles, or ended (fault EXIT) */
};

/*
 * A fault message: word 0 the fault, 1 address, 2 ip, 3 sp, 4 flags, 5 the processor's error code, 6 access
 * (KOZO_READ, WRITE or EXECUTE; for a system call its number), 7 the thread's serial. The registers follow in the
 * extra words, in the order of kozo_reg, if the handler has a buffer. A thread that ends is such a message too: kind
 * EXIT, its code as the address; it cannot be resumed. The handler's reply: label KOZO_FAULT_RESUME runs the thread on as it is;
 * KOZO_FAULT_LOAD takes words 2 and 3 as ip and sp, 4 as flags, and the extra words sent as registers, sanitised.
 */
#define KOZO_FAULT_RESUME 0u
#define KOZO_FAULT_LOAD 1u
enum kozo_reg : uint8_t {
    KOZO_REG_RAX, KOZO_REG_RBX, KOZO_REG_RCX, KOZO_REG_RDX, KOZO_REG_RSI, KOZO_REG_RDI, KOZO_REG_RBP,
    KOZO_REG_R8, KOZO_REG_R9, KOZO_REG_R10, KOZO_REG_R11, KOZO_REG_R12, KOZO_REG_R13, KOZO_REG_R14, KOZO_REG_R15,
    KOZO_REG_FS_BASE,
    KOZO_REG_COUNT
};

/* Words that THREAD_INFO writes to the caller's IPC buffer: the registers in the order of kozo_reg, then: */
enum kozo_thread_word : uint8_t {
    KOZO_THREAD_WORD_IP = KOZO_REG_COUNT,
    KOZO_THREAD_WORD_SP,
    KOZO_THREAD_WORD_FLAGS,
    KOZO_THREAD_WORD_FAULT,   /* enum kozo_fault under way, or that stopped it */
    KOZO_THREAD_WORD_ADDRESS, /* of that fault; the exit code when it is KOZO_FAULT_EXIT */
    KOZO_THREAD_WORD_PRIORITY,
    KOZO_THREAD_WORD_WAITS,   /* identity of the Endpoint or Notification it waits for, or 0 */
    KOZO_THREAD_WORD_PEER,    /* CALLING: serial of the thread that owes the reply; else of the caller it owes; or 0 */
    KOZO_THREAD_WORD_DEADLINE, /* of the wait, or 0 */
    KOZO_THREAD_WORD_NAME,    /* what its maker called it: up to 8 letters, the first in the lowest byte */
    KOZO_THREAD_WORDS
};

/* DEBUG_STAT's `which`. */
enum kozo_stat : uint64_t {
    KOZO_STAT_THREADS_FREE,   /* thread control blocks not in use */
    KOZO_STAT_CAPS,           /* slots in use, in the whole system */
    KOZO_STAT_PENDING,        /* zombies waiting to be destroyed, plus 1 while a revoke is under way */
    KOZO_STAT_BYTES_FREE,     /* bytes above the watermark of every Untyped */
    KOZO_STAT_IDLE_NS,        /* time spent idle */
    KOZO_STAT_BOOT_NS,        /* kernel entry to init's first instruction */
    KOZO_STAT_TICKS,          /* timer interrupts taken */
    KOZO_STAT_STACK_KERNEL,   /* bytes never used so far of the stack that the kernel runs on, */
    KOZO_STAT_STACK_NMI,      /* and of those that non-maskable interrupts, */
    KOZO_STAT_STACK_DEBUG,    /* debug traps, */
    KOZO_STAT_STACK_DOUBLE,   /* double faults */
    KOZO_STAT_STACK_MACHINE,  /* and machine checks have */
    KOZO_STAT_COUNT
};

/* A recorded event, as DEBUG_EVENTS writes them to the IPC buffer. */
enum kozo_trace : uint8_t {
#define KOZO_TRACE(nr, NAME, name, text) KOZO_TRACE_##NAME = nr,
#include <kozo/trace.def>
#undef KOZO_TRACE
    KOZO_TRACE_COUNT
};
struct kozo_event {
    uint64_t time;     /* nanoseconds since boot */
    uint32_t thread;   /* serial of the thread that asked */
    uint8_t what;      /* enum kozo_trace */
    uint8_t kind;      /* of the capability; REFUSED: the call's number */
    uint8_t rights;
    uint8_t error;     /* REFUSED: enum kozo_err */
    uint64_t object;   /* identity of the object, see struct kozo_tree_entry; REFUSED: the capability's address */
    uint64_t badge;
};
static_assert(sizeof(struct kozo_event) == 32);
#define KOZO_EVENTS (KOZO_MSG_EXTRA * 8u / 32u) /* in one IPC buffer */

/*
 * A capability, as DEBUG_TREE writes them to the IPC buffer. Identities are the same for the same slot or object as long
 * as that lives, and tell nothing else. DEBUG_TREE's third result is the identity of the slot asked for.
 */
struct kozo_tree_entry {
    uint64_t slot;   /* identity of the slot */
    uint64_t object; /* identity of the object */
    uint64_t what;   /* as CAP_VERIFY tells it, without SAME; bits 48-63 the depth below the first */
    uint64_t badge;
};
#define KOZO_TREE_ENTRIES (KOZO_MSG_EXTRA * 8u / sizeof(struct kozo_tree_entry))
#define KOZO_TREE_SKIP_MAX 16384u

/* What init finds in its capability space. */
enum kozo_init_slot : uint64_t {
    KOZO_INIT_NONE, KOZO_INIT_CNODE, KOZO_INIT_THREAD, KOZO_INIT_SPACE, KOZO_INIT_POOL, KOZO_INIT_IRQ,
    KOZO_INIT_IOPORT, KOZO_INIT_CLOCK, KOZO_INIT_DEBUG, KOZO_INIT_BOOTINFO,
    KOZO_INIT_FIRST_RANGE
};
#define KOZO_INIT_CNODE_BITS 12

/*
 * The head of the page whose address a program finds in rdi at its first instruction: the boot information in
 * init, the start page made by its maker in every other program.
 */
#define KOZO_START_MAGIC 0x54524154534f5a4bull
struct kozo_start_head {
    uint64_t magic;
    uint64_t buffer; /* address of the first thread's IPC buffer */
    uint64_t clock;  /* address of the clock page */
    uint64_t kind;   /* KOZO_START_INIT or KOZO_START_PROGRAM */
};
#define KOZO_START_INIT 1u
#define KOZO_START_PROGRAM 2u

/* The clock page: nanoseconds since kernel entry = (TSC - base) * mult >> shift. */
struct kozo_clock {
    uint64_t base;
    uint64_t mult;
    uint32_t shift;
    uint32_t reserved;
    uint64_t tsc_hz;
};

/* A range of slots. */
struct kozo_range {
    uint32_t first;
    uint32_t count;
};

struct kozo_untyped_desc {
    uint64_t base; /* physical */
    uint32_t size_bits;
    uint32_t device;
};

#define KOZO_BOOT_UNTYPEDS 128u
#define KOZO_CMDLINE_BYTES 1024u
struct kozo_boot_info {
    struct kozo_start_head head;
    struct kozo_range untyped;      /* RAM, described by desc[0 ..] */
    struct kozo_range device;       /* described by the descriptions that follow */
    struct kozo_range initrd_small; /* 4 KiB Frames up to the first 2 MiB boundary */
    struct kozo_range initrd_large; /* 2 MiB Frames */
    struct kozo_range initrd_tail;  /* 4 KiB Frames after the last */
    struct kozo_range image;        /* init's own frames and page tables */
    struct kozo_range free;         /* empty slots */
    uint64_t initrd_bytes;
    uint64_t image_end;             /* init's addresses from here on are unused */
    uint64_t ram_bytes;
    uint64_t lost_bytes;            /* RAM that is neither in an Untyped nor in use: pieces too small or too many */
    uint64_t threads;
    char cmdline[KOZO_CMDLINE_BYTES];
    struct kozo_untyped_desc desc[KOZO_BOOT_UNTYPEDS];
};
static_assert(sizeof(struct kozo_boot_info) <= KOZO_PAGE_SIZE);
