/* SPDX-License-Identifier: MIT */
/*
 * kozo.h - everything of kozo-sys that most programs use, at once.
 *
 * Not here:  spawn.h, elf.h, cpio.h, sha256.h, which supervisors use; test.h.
 */
#pragma once

#include <kozo/abi.h>
#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/handle.h>
#include <kozo/heap.h>
#include <kozo/log.h>
#include <kozo/memory.h>
#include <kozo/msg.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>
#include <kozo/worker.h>
