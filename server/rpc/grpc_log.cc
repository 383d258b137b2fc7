#include "server/rpc/grpc_log.h"

#include <grpc/support/log.h>

#include <chrono>
#include <cstdint>
#include <utility>

#include "face/base/clock.h"
#include "face/base/log.h"
#include "face/base/mutex.h"

namespace facegate {
namespace {

constexpr size_t kMaxLineBytes = 300;
constexpr int kLinesAMinute = 10;

// Decides whether one more line may be written, and counts those that were not since the last one.
class LineLimit {
 public:
  struct Permit {
    bool granted = false;
    uint64_t left_out = 0;
  };

  Permit Ask(Clock::TimePoint now) {
    const MutexLock lock(mutex_);
    if (now >= minute_ends_) {
      minute_ends_ = now + std::chrono::minutes(1);
      written_ = 0;
    }
    if (written_ >= kLinesAMinute) {
      ++left_out_;
      return {};
    }
    ++written_;
    return {.granted = true, .left_out = std::exchange(left_out_, 0)};
  }

 private:
  Mutex mutex_;
  Clock::TimePoint minute_ends_ FACEGATE_GUARDED_BY(mutex_);
  int written_ FACEGATE_GUARDED_BY(mutex_) = 0;
  uint64_t left_out_ FACEGATE_GUARDED_BY(mutex_) = 0;
};

LogLevel LevelOf(gpr_log_severity severity) {
  switch (severity) {
    case GPR_LOG_SEVERITY_DEBUG:
    case GPR_LOG_SEVERITY_INFO:
      return LogLevel::kDebug;
    case GPR_LOG_SEVERITY_ERROR:
      break;
  }
  // An error of gRPC's is mostly a client that speaks nonsense: nothing of ours is broken.
  return LogLevel::kWarning;
}

void Write(gpr_log_func_args* line) {
  static LineLimit limit;
  const LogLevel level = LevelOf(line->severity);
  if (!IsLogged(level)) return;
  const LineLimit::Permit permit = limit.Ask(Clock::System().Now());
  if (!permit.granted) return;
  if (permit.left_out > 0) LogWarning("gRPC: {} lines were left out", permit.left_out);
  WriteLog(level, "gRPC: " + CleanGrpcLine(line->message));
}

}  // namespace

std::string CleanGrpcLine(std::string_view line) {
  std::string clean(line.substr(0, line.find("value=")));
  if (clean.size() > kMaxLineBytes) clean.resize(kMaxLineBytes);
  for (char& c : clean) {
    if (c < ' ' || c > '~') c = '?';
  }
  return clean;
}

void SendGrpcLinesToOurLog() { gpr_set_log_function(Write); }

}  // namespace facegate
