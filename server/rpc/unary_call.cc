#include "server/rpc/unary_call.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <random>

#include "face/base/log.h"
#include "server/rpc/call_deadline.h"
#include "server/rpc/grpc_status.h"
#include "server/rpc/repeated_line.h"

namespace facegate {
namespace {

// Longer than the answer to a cheap call takes, short enough to matter to a client.
constexpr std::chrono::milliseconds kRetryWhenFull{200};

// Unique among processes by its random half, within one by the counter.
std::string NewRequestId() {
  static const uint64_t process = [] {
    std::random_device device;
    return static_cast<uint64_t>(device()) << 32 | device();
  }();
  static std::atomic<uint64_t> next{1};
  return fmt::format("{:016x}-{}", process, next.fetch_add(1, std::memory_order_relaxed));
}

// The one place above the adapters that has a `try`: a bug in a handler must not end the process.
Status RunGuarded(const UnaryCall::Handler& handler, const CallContext& call) {
  try {
    return handler(call);
  } catch (const std::exception& e) {
    return Internal(fmt::format("exception: {}", e.what()));
  } catch (...) {
    return Internal("exception of an unknown kind");
  }
}

// A store or a model that fails gives the same line for each call.
void LogFault(std::string_view request_id, const std::string& line, Clock::TimePoint now) {
  static RepeatedLine repeated;
  const auto left_out = repeated.Ask(line, now);
  if (!left_out.has_value()) return;
  if (*left_out > 0) LogError("{} more calls ended like the next one", *left_out);
  LogError("request {}: {}", request_id, line);
}

std::string_view OutcomeOf(const Status& status) {
  if (status.ok()) return "OK";
  if (status.code() == StatusCode::kCancelled) return "CANCELLED";
  return ReasonName(ReasonOf(status).value_or(Reason::kInternal));
}

}  // namespace

grpc::ServerUnaryReactor* UnaryCall::Start(const CallRuntime& runtime,
                                           grpc::CallbackServerContext* context, const char* method,
                                           uint64_t request_bytes, Handler handler) {
  auto* call = new UnaryCall(runtime, context, method);  // owned by gRPC until OnDone()
  if (const Status entered = call->Enter(request_bytes); !entered.ok()) {
    call->Answer(entered);
    return call;
  }
  const Status queued =
      runtime.pool.Submit([call, handler = std::move(handler)] { call->Run(handler); });
  if (!queued.ok()) call->Answer(WithRetryAfter(queued, kRetryWhenFull));
  return call;
}

UnaryCall::UnaryCall(const CallRuntime& runtime, grpc::CallbackServerContext* context,
                     const char* method)
    : runtime_(runtime),
      method_(method),
      arrival_(runtime.clock.Now()),
      cancelled_(std::make_shared<std::atomic<bool>>(false)) {
  call_.caller.deadline =
      MonotonicDeadline(context->deadline(), std::chrono::system_clock::now(), arrival_);
  call_.caller.cancelled = cancelled_;
  call_.request_id = NewRequestId();
}

Status UnaryCall::Enter(uint64_t request_bytes) {
  FACEGATE_RETURN_IF_ERROR(runtime_.gate.Enter());
  entered_ = true;
  FACEGATE_RETURN_IF_ERROR(WithRetryAfter(runtime_.budget.Take(request_bytes), kRetryWhenFull));
  held_bytes_ = request_bytes;
  return OkStatus();
}

void UnaryCall::Run(const Handler& handler) {
  Status status = call_.caller.Check(runtime_.clock.Now());
  if (status.ok()) status = RunGuarded(handler, call_);
  Answer(status);
}

void UnaryCall::Answer(const Status& status) {
  const bool damaged = status.code() == StatusCode::kDataLoss;
  if (IsWithheld(status) || damaged) {
    LogFault(call_.request_id,
             fmt::format("{}: {}{}", method_, damaged ? "the store is damaged: " : "",
                         MessageOf(status)),
             runtime_.clock.Now());
  }
  const std::chrono::duration<double, std::milli> took = runtime_.clock.Now() - arrival_;
  LogDebug("request {}: {}: {} after {:.1f} ms, of {} bytes", call_.request_id, method_,
           OutcomeOf(status), took.count(), held_bytes_);
  Finish(ToGrpcStatus(status, call_.request_id));
}

void UnaryCall::OnDone() {
  CallGate* const gate = entered_ ? &runtime_.gate : nullptr;
  runtime_.budget.GiveBack(held_bytes_);
  delete this;
  if (gate != nullptr) gate->Leave();
}

}  // namespace facegate
