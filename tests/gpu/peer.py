"""What both of PyTorch's sides share: how they answer, and how long they may prepare."""

import contextlib
import json
import signal

import torch


def say(**answer):
    """One line of JSON."""
    print(json.dumps(answer), flush=True)


class OutOfTime(BaseException):
    """No Exception: what prepares catches those for reasons of its own."""


@contextlib.contextmanager
def within(seconds):
    """OutOfTime inside once so many seconds, at least one, are over."""
    def over(*_):
        raise OutOfTime(f"{seconds:.0f} s were not enough")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, max(1.0, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def reason(error):
    """Why something could not be compiled, for the report."""
    return f"torch.compile: {type(error).__name__}: {str(error)[:500]}"


def wait_for(device):
    """Until the device has done everything."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
