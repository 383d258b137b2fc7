#pragma once

#include <vector>

#include "face/base/status.h"
#include "facegate/v1/face_service.pb.h"
#include "index/gallery.h"
#include "index/journal.h"
#include "server/engine/face_engine.h"
#include "server/operations/enrolment.h"
#include "server/operations/operation_parts.h"
#include "server/rpc/call_context.h"
#include "server/rpc/request_limits.h"

namespace facegate {

// The methods of facegate.v1.FaceService (the contract is in the proto) as plain functions: each
// parses its request, checking all that is cheap, calls the operation (server/operations) and fills
// in the answer. Thread-safe. After an error the response's content is unspecified.
class FaceService {
 public:
  // Engine, gallery, journal and calibrations must outlive the service. `quality` holds where
  // neither a collection nor a request says what is wanted.
  FaceService(const FaceEngine& engine, Gallery& gallery, Journal& journal,
              const RequestLimits& limits, const QualityPolicy& quality,
              SiteCalibrations& calibrations);

  Status Enroll(const CallContext& call, const v1::EnrollRequest& request,
                v1::EnrollResponse* response);
  Status Verify(const CallContext& call, const v1::VerifyRequest& request,
                v1::VerifyResponse* response);
  Status Identify(const CallContext& call, const v1::IdentifyRequest& request,
                  v1::IdentifyResponse* response);
  Status Embed(const CallContext& call, const v1::EmbedRequest& request,
               v1::EmbedResponse* response);
  Status Detect(const CallContext& call, const v1::DetectRequest& request,
                v1::DetectResponse* response);
  Status Compare(const CallContext& call, const v1::CompareRequest& request,
                 v1::CompareResponse* response);

 private:
  StatusOr<std::vector<Sample>> ParseSamples(const v1::EnrollRequest& request) const;
  StatusOr<size_t> CandidateCount(const v1::IdentifyRequest& request) const;

  const OperationParts parts_;
  Journal& journal_;
  const RequestLimits limits_;
};

}  // namespace facegate
