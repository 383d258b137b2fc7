#include "index/store/write_health.h"

#include <utility>

#include "face/base/log.h"

namespace facegate {

Status WriteHealth::state() const {
  const MutexLock lock(mutex_);
  return state_;
}

void WriteHealth::Set(const Status& state, std::string_view detail, Of of) {
  {
    const MutexLock lock(mutex_);
    if (of == Of::kWrite && stopped_) return;
    stopped_ = of == Of::kDatabase && !state.ok();
    if (state.code() == state_.code()) return;
    state_ = state;
    good_ = state.ok();
    untold_.push_back(state);
  }
  if (state.ok()) {
    LogWarning("store: changes can be stored again");
  } else {
    LogError("store: {} ({})", MessageOf(state), detail);
  }
  TellInOrder();
}

// Whoever comes while another thread tells leaves that to it: no call is made under the lock, and
// none overtakes another.
void WriteHealth::TellInOrder() {
  for (;;) {
    Status next;
    {
      const MutexLock lock(mutex_);
      if (telling_ || untold_.empty()) return;
      telling_ = true;
      next = std::move(untold_.front());
      untold_.pop_front();
    }
    if (on_change_) on_change_(next);
    const MutexLock lock(mutex_);
    telling_ = false;
  }
}

}  // namespace facegate
