/* SPDX-License-Identifier: MIT */
#include <kozo/error.h>

const char *kozo_err_name(enum kozo_err err)
{
    switch ((uint32_t)err) {
#define KOZO_ERROR(nr, NAME, text) \
    case nr:                       \
        return #NAME;
#include <kozo/errors.def>
#undef KOZO_ERROR
    default:
        return "?";
    }
}

const char *kozo_err_text(enum kozo_err err)
{
    switch ((uint32_t)err) {
#define KOZO_ERROR(nr, NAME, text) \
    case nr:                       \
        return text;
#include <kozo/errors.def>
#undef KOZO_ERROR
    default:
        return "?";
    }
}

const char *kozo_kind_name(enum kozo_kind kind)
{
    switch ((uint8_t)kind) {
#define KOZO_KIND(nr, NAME, Name, rights, text) \
    case nr:                                    \
        return #Name;
#include <kozo/kinds.def>
#undef KOZO_KIND
    default:
        return "?";
    }
}

const char *kozo_fault_name(uint64_t fault)
{
    switch (fault) {
#define KOZO_FAULT(nr, NAME, text) \
    case nr:                       \
        return #NAME;
#include <kozo/faults.def>
#undef KOZO_FAULT
    default:
        return "?";
    }
}

const char *kozo_fault_text(uint64_t fault)
{
    switch (fault) {
#define KOZO_FAULT(nr, NAME, text) \
    case nr:                       \
        return text;
#include <kozo/faults.def>
#undef KOZO_FAULT
    default:
        return "?";
    }
}

const char *kozo_syscall_name(uint64_t nr)
{
    switch (nr) {
#define KOZO_SYSCALL(nr, NAME, name, args, results, text) \
    case nr:                                              \
        return #name;
#include <kozo/syscalls.def>
#undef KOZO_SYSCALL
    default:
        return "?";
    }
}
