#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "face/base/clock.h"
#include "face/base/status.h"
#include "face/base/thread_pool.h"
#include "server/rpc/byte_budget.h"
#include "server/rpc/call_context.h"
#include "server/rpc/call_gate.h"

namespace facegate {

// Every call passes through these. All must outlive the gRPC server.
struct CallRuntime {
  CallGate& gate;
  ByteBudget& budget;
  ThreadPool& pool;
  const Clock& clock;
};

// One unary call from its arrival to its answer. Start() runs on a gRPC thread and never blocks: it
// refuses the call (not ready, shutting down, too many bytes or calls in progress) or hands
// `handler` to the pool. There the deadline and cancellation are looked at again, exceptions end,
// the status is mapped, and what the client may not see is logged under the request id.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  using Handler = std::function<Status(const CallContext&)>;

  // `method` names the call in the log and must outlive it. The request holds `request_bytes`. gRPC
  // keeps `context` and the messages that `handler` refers to alive until the returned reactor is
  // done.
  static grpc::ServerUnaryReactor* Start(const CallRuntime& runtime,
                                         grpc::CallbackServerContext* context, const char* method,
                                         uint64_t request_bytes, Handler handler);

 private:
  UnaryCall(const CallRuntime& runtime, grpc::CallbackServerContext* context, const char* method);
  ~UnaryCall() override = default;  // by OnDone() alone

  // All calls pass this before any work is done for them.
  Status Enter(uint64_t request_bytes);
  void Run(const Handler& handler);
  void Answer(const Status& status);
  void OnCancel() override { cancelled_->store(true, std::memory_order_relaxed); }
  void OnDone() override;

  const CallRuntime runtime_;
  const char* const method_;
  const Clock::TimePoint arrival_;
  const std::shared_ptr<std::atomic<bool>> cancelled_;
  CallContext call_;
  // Set before the call is shared with another thread.
  bool entered_ = false;
  uint64_t held_bytes_ = 0;
};

// UnaryCall for a service's method: Status (Service::*)(const CallContext&, const Request&,
// Response*). `service` may change from null once, before the gate opens.
template <typename Service, typename Request, typename Response>
grpc::ServerUnaryReactor* StartUnaryCall(const CallRuntime& runtime,
                                         grpc::CallbackServerContext* context, const char* name,
                                         Service* const& service,
                                         Status (Service::*method)(const CallContext&,
                                                                   const Request&, Response*),
                                         const Request* request, Response* response) {
  return UnaryCall::Start(runtime, context, name, request->SpaceUsedLong(),
                          [&service, method, request, response](const CallContext& call) {
                            return (service->*method)(call, *request, response);
                          });
}

}  // namespace facegate
