#!/usr/bin/env python3
"""without_system_call.py NUMBER PROGRAM ARGUMENT...: runs a program as on a kernel that lacks a system call."""
import ctypes
import errno
import os
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # of the kernel's filter machine
ALLOW, ERROR = 0x7FFF0000, 0x00050000


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("then", ctypes.c_uint8), ("otherwise", ctypes.c_uint8), ("value", ctypes.c_uint32)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction))]


instructions = (Instruction * 4)(
    (LOAD, 0, 0, 0),
    (EQUAL, 0, 1, int(sys.argv[1])),
    (RETURN, 0, 0, ERROR | errno.ENOSYS),
    (RETURN, 0, 0, ALLOW),
)
program = Program(len(instructions), instructions)
libc = ctypes.CDLL(None, use_errno=True)
for call in [(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)]:
    if libc.prctl(*call) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[2], sys.argv[2:])
