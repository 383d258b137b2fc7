#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/server/rpc/service_fixture.h"

namespace facegate {

// Verify and Identify on the collection "people", and requests that are right.
class FaceServiceTest : public ServiceTest {
 protected:
  v1::VerifyRequest VerifyRequest(const std::string& identity, const v1::Probe& probe) {
    v1::VerifyRequest request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    *request.mutable_probe() = probe;
    return request;
  }
  v1::IdentifyRequest IdentifyRequest(const v1::Probe& probe) {
    v1::IdentifyRequest request;
    request.set_collection_id("people");
    *request.mutable_probe() = probe;
    return request;
  }
  v1::VerifyResponse Verify(const v1::VerifyRequest& request) {
    v1::VerifyResponse response;
    EXPECT_THAT(faces_->Verify(call_, request, &response), IsOk());
    return response;
  }
  v1::IdentifyResponse Identify(const v1::IdentifyRequest& request) {
    v1::IdentifyResponse response;
    EXPECT_THAT(faces_->Identify(call_, request, &response), IsOk());
    return response;
  }
};

}  // namespace facegate
