"""
Standard input and output as a connection: what `twisted_endpoints.stdio` is made of.

Theory.  A process doesn't own its standard input and output: it shares them with the shell that started it,
with the other commands of the pipeline and, on a terminal, with standard error.  Whether reading waits
(``O_NONBLOCK``) belongs to what is shared.  A program that sets it breaks its neighbours while it runs, and
if it is killed, after that.  So it is never set here on what is shared; `files` says what is done instead.

Nor is such a descriptor given to an event loop to watch: uvloop sets ``O_NONBLOCK`` on all that it
watches, and doesn't report that a pipe has lost its reader.  Each is watched by an epoll of its own, and the
loop watches that one: see `watching`.  What can't be watched, a regular file, is always ready, and reactors
know such.

A thread for each direction, which could wait in read() and write(), was the other choice.  It can't be
told to stop: one that waits for input would take from the terminal the line that is meant for the program
that comes next, and one that waits for a reader would hold up the end of the process.
"""
