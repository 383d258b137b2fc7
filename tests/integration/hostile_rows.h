#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "facegate/v1/types.pb.h"
#include "tests/support/wire_call.h"

namespace facegate {

// A call that must be refused, and how.
struct HostileRow {
  std::string name;
  std::function<WireAnswer()> call;
  int code = 0;                // grpc::StatusCode
  std::string reason{};        // empty: gRPC's own refusal, without details
  std::string field{};         // the field path; empty: no field is to blame
  std::string message = ".*";  // a regular expression that occurs in the message
};

// The rows need to know this of the server that they are for.
struct HostileWorld {
  std::string target{};
  std::shared_ptr<grpc::Channel> channel{};
  std::string model_digest;
  size_t embedding_size = 0;
  size_t max_image_bytes = 0;
  size_t max_message_bytes = 0;
  bool has_detector = false;
  // A photo with two faces, one beside the other; empty: no such row.
  std::string two_faces{};
  // Set by PrepareHostileWorld().
  std::string template_name{};
};

// Creates what the rows are about: the collection "people" (threshold 0.5) with the identities "a"
// and "b", "bare" without a threshold, and "strict", which takes no face but a perfect one. Fails
// the test when that does not work.
void PrepareHostileWorld(HostileWorld& world);

// Rows that change nothing, so that they may be run again and again. `world` must outlive them.
std::vector<HostileRow> HostileRows(const HostileWorld& world);

// A call that is right: identifies "a" by its embedding.
WireAnswer IdentifyA(const HostileWorld& world);

}  // namespace facegate
