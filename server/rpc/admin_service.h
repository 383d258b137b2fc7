#pragma once

#include <cstdint>
#include <string>

#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "face/weights/model_card.h"
#include "facegate/v1/admin_service.pb.h"
#include "index/gallery.h"
#include "server/operations/quality_policy.h"
#include "server/rpc/call_context.h"
#include "server/rpc/request_limits.h"

namespace facegate {

// The facts of the server besides its model and gallery; constant while it runs.
struct ServerFacts {
  std::string version;
  int64_t start_time_us = 0;  // since 1970 UTC
  std::string detector;       // "none" where there is none
  RequestLimits limits;
  bool encryption_at_rest = false;
  bool tls = false;
  Compute compute;
  uint32_t max_batch = 0;
  QualityPolicy quality{};  // where neither a collection nor a request says what is wanted
};

// The methods of facegate.v1.AdminService (the contract is in the proto). Thread-safe.
class AdminService {
 public:
  // `gallery` must outlive the service.
  AdminService(const ServerFacts& facts, const ModelCard& card, const Gallery& gallery);

  Status GetServerInfo(const CallContext& call, const v1::GetServerInfoRequest& request,
                       v1::GetServerInfoResponse* response);

 private:
  v1::GetServerInfoResponse constant_;
  const Gallery& gallery_;
};

}  // namespace facegate
