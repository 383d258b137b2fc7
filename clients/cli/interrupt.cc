#include "clients/cli/interrupt.h"

#include <atomic>

namespace facegate::cli {
namespace {

std::atomic<bool> interrupt_noted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

extern "C" void NoteInterrupt(int /*signal*/) { interrupt_noted = true; }

}  // namespace

InterruptWatch::InterruptWatch() {
  interrupt_noted = false;
  struct sigaction action {};
  action.sa_handler = NoteInterrupt;
  // The handler is gone once it has run.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, &before_);
}

InterruptWatch::~InterruptWatch() { ::sigaction(SIGINT, &before_, nullptr); }

bool InterruptWatch::interrupted() const { return interrupt_noted; }

}  // namespace facegate::cli
