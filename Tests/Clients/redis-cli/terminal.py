"""Runs a program that prompts with "> " in a terminal of its own: terminal.py PROGRAM ARGUMENT...

Each line of standard input is typed after a prompt; what the terminal shows is printed. The last line has to end the
program.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

pid, terminal = pty.fork()
if pid == 0:
    # Before the program begins: it would ask the terminal how wide it is, and nobody is there to answer.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 160, 0, 0))
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[1], sys.argv[1:])


def read_until(end):
    """Reads until what was shown ends like that, or until the program has ended."""
    shown = b""
    # After a prompt comes the sequence that places the cursor.
    while not shown.rstrip(b"\x1b[0123456789C\r").endswith(end):
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        shown += part
    return shown


for line in sys.stdin:
    sys.stdout.buffer.write(read_until(b"> "))
    os.write(terminal, line.rstrip("\n").encode() + b"\r")
sys.stdout.buffer.write(read_until(b"never"))
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
