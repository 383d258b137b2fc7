#pragma once

#include <vector>

#include "face/base/status.h"
#include "facegate/v1/face_service.pb.h"
#include "index/gallery.h"
#include "server/engine/face_engine.h"
#include "server/rpc/call_context.h"
#include "server/rpc/identification.h"
#include "server/rpc/probe.h"
#include "server/rpc/request_limits.h"

namespace facegate {

// The methods of facegate.v1.FaceService (the contract is in the proto) as plain functions.
// Thread-safe. Each checks all that is cheap, then decodes and detects, then runs the model once
// for all faces of the request. After an error the response's content is unspecified.
class FaceService {
 public:
  // Both must outlive the service.
  FaceService(const FaceEngine& engine, Gallery& gallery, const RequestLimits& limits);

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
  StatusOr<std::vector<CheckedProbe>> CheckSamples(const v1::EnrollRequest& request) const;
  // The faces of all probes, one after the other, by one pass through the model.
  StatusOr<std::vector<EmbeddedFace>> EmbedProbes(const std::vector<CheckedProbe>& probes,
                                                  const Caller& caller) const;
  Status CheckMayEnroll(const v1::EnrollRequest& request) const;
  StatusOr<size_t> CandidateCount(const v1::IdentifyRequest& request) const;
  Status EnrollSamples(const CallContext& call, const v1::EnrollRequest& request,
                       const std::vector<CheckedProbe>& samples, const RequestTicket* ticket,
                       v1::EnrollResponse* response);
  // The faces with those that are nearest to them in the gallery, as far as the answer needs them.
  StatusOr<std::vector<IdentifiedFace>> SearchFaces(const IdentificationOptions& options,
                                                    const v1::DecisionBasis& basis,
                                                    std::vector<EmbeddedFace> faces,
                                                    const Caller& caller) const;

  const FaceEngine& engine_;
  Gallery& gallery_;
  const RequestLimits limits_;
};

}  // namespace facegate
