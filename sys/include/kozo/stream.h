/* SPDX-License-Identifier: MIT */
/*
 * stream.h - bytes in order: from a file or a pipe, to a file, a pipe or the console.
 *
 * Owns:      struct kozo_stream; under which names a program finds its streams; what an entry of a
 *            pipe is.
 * Not here:  who makes a pipe (a shell, by spawn.h), reading at an offset (file.h).
 * Callers:   one thread at a time for each stream.
 * Cost:      a pipe: no system call while there is room, or bytes. A file or the console: a call
 *            for each message.
 * Spec:      docs/spec/services.md
 *
 * A stream has a name ("stdin", "stdout", "stderr", "arg1" for the first argument). It is what the
 * program was born with under that name:
 *
 *   NAME.file      an Endpoint: a file of the protocol `fs`
 *   NAME.append    the same, to write: each message goes to wherever its end is then
 *   NAME.console   an Endpoint: the protocol `console`, to write text; a NUL becomes `?`
 *   NAME           a mapping of KOZO_PIPE_BYTES: a pipe, with the Notifications NAME.wake, on
 *                  which the other side waits, and NAME.wait, on which this one does
 *
 * A pipe is a ring (ring.h). When its writer is through the reader gets what was put into it, then
 * the end if the writer closed or exited, GONE if it aborted; GONE too if a fault or somebody else
 * ended it, and what it had not flushed is lost. When its reader is through, however, the writer's
 * next write or flush is GONE. That a side that did not close is through says who made the pipe
 * (kozo_ring_bury). Where nobody does, a reader gets GONE, and a writer learns of it when the pipe
 * is full.
 */
#pragma once

#include <kozo/ring.h>
#include <kozo/syscall.h>

#include <stddef.h>

#define KOZO_STREAM_BUFFER 400u /* bytes gathered for one message */

/* A pipe fills four pages. */
#define KOZO_PIPE_BYTES 16384u
#define KOZO_PIPE_ENTRIES 8u
#define KOZO_PIPE_TEXT 2024u
struct kozo_pipe_entry {
    uint64_t len;
    char text[KOZO_PIPE_TEXT];
};
static_assert(sizeof(struct kozo_ring_shared) +
                  KOZO_PIPE_ENTRIES * sizeof(struct kozo_pipe_entry) ==
              KOZO_PIPE_BYTES);

enum kozo_stream_kind : uint8_t {
    KOZO_STREAM_NONE,
    KOZO_STREAM_FILE,
    KOZO_STREAM_CONSOLE,
    KOZO_STREAM_PIPE,
};

enum kozo_stream_way : uint8_t { KOZO_STREAM_READS, KOZO_STREAM_WRITES };

struct kozo_stream {
    enum kozo_stream_kind kind;
    enum kozo_stream_way way;
    enum kozo_err failed; /* the first error of a write */
    struct kozo_endpoint cap;
    uint64_t offset;       /* in the file, of the next byte; KOZO_FILE_END: wherever it ends */
    struct kozo_ring ring; /* of a pipe */
    uint32_t used; /* bytes of `buffer`, or of the pipe's entry under way, written or read so far */
    char buffer[KOZO_STREAM_BUFFER];
};

/*
 * Takes up the stream that the program was given under `name`. Errors: EMPTY there is none; KIND
 * the console, or a file to append to, to be read; STATE a mapping that is no pipe.
 */
enum kozo_err kozo_stream_open(struct kozo_stream *s, const char *name, enum kozo_stream_way way);

/*
 * For who has a file or made a pipe itself: a stream of it. `offset`: in the file, of the first byte;
 * to write KOZO_FILE_END appends.
 */
void kozo_stream_of_file(struct kozo_stream *s, struct kozo_endpoint file, uint64_t offset,
                         enum kozo_stream_way way);
/* The pipe in the KOZO_PIPE_BYTES at `memory`, as for kozo_ring_join. Errors: STATE it is none. */
enum kozo_err kozo_stream_of_pipe(struct kozo_stream *s, void *memory,
                                  struct kozo_notification wake, struct kozo_notification wait,
                                  enum kozo_stream_way way);

/*
 * Reads some bytes, at most `len`, waiting for the first. The value is their number, 0 at the end.
 * Errors: GONE the pipe's writer died, or aborted; PROTOCOL it wrote nonsense; EMPTY the stream is
 * none to be read; CANCELLED; a file's: those of kozo_file_read.
 */
struct kozo_res kozo_stream_read(struct kozo_stream *s, void *to, size_t len);

/*
 * Writes all of it, sooner or later: what goes to the console at the end of a line, the rest when
 * a buffer is full. After an error all that follows gives the same one back, to the end, and nothing
 * more is written: what comes out has no hole, and who looks at kozo_stream_close's error alone misses
 * none. Errors: GONE nobody reads the pipe any more; PROTOCOL its reader wrote
 * nonsense; EMPTY the stream is none to be written; CANCELLED; the console's and a file's own.
 */
enum kozo_err kozo_stream_write(struct kozo_stream *s, const void *from, size_t len);

/*
 * For who must not wait for a pipe's reader as long as it takes: waits by `deadline` (ns since boot)
 * until something can be written without waiting. The value is how many bytes at least. Errors:
 * TIMEOUT, and those of kozo_stream_write.
 */
struct kozo_res kozo_stream_room(struct kozo_stream *s, uint64_t deadline);

/* As kozo_stream_write, for text made by a format; at most KOZO_STREAM_BUFFER bytes, cut to fit. */
[[gnu::format(printf, 2, 3)]] enum kozo_err kozo_stream_printf(struct kozo_stream *s,
                                                               const char *format, ...);

/* Writes out what is still kept back. Errors: as kozo_stream_write. */
enum kozo_err kozo_stream_flush(struct kozo_stream *s);

/*
 * Flushes, and tells the other side of a pipe that this one is through; after an error of a write as
 * kozo_stream_abort. The capabilities stay. Errors: as kozo_stream_write, of any write.
 */
enum kozo_err kozo_stream_close(struct kozo_stream *s);

/*
 * The same, by who could not write all there was to write: after it a pipe's reader gets GONE, not
 * the end. Errors: as kozo_stream_write.
 */
enum kozo_err kozo_stream_abort(struct kozo_stream *s);
