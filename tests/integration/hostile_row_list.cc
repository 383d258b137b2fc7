#include "tests/integration/hostile_row_list.h"

namespace facegate {

std::string FaceMethod(const std::string& method) { return "/facegate.v1.FaceService/" + method; }

std::string GalleryMethod(const std::string& method) {
  return "/facegate.v1.GalleryService/" + method;
}

v1::Probe EmbeddingProbe(const HostileWorld& world, size_t direction) {
  v1::Probe probe;
  for (size_t i = 0; i < world.embedding_size; ++i) {
    probe.mutable_embedding()->add_values(i == direction ? 1.0F : 0.0F);
  }
  probe.mutable_embedding()->set_model_digest(world.model_digest);
  return probe;
}

void HostileRowList::AddBytes(std::string name, std::string method, std::string bytes,
                              ExpectedRefusal expected, WireOptions options) {
  rows_.push_back(
      {.name = std::move(name),
       .call = [channel = world_.channel, method = std::move(method), bytes = std::move(bytes),
                options = std::move(options)] { return CallRaw(channel, method, bytes, options); },
       .code = expected.code,
       .reason = std::move(expected.reason),
       .field = std::move(expected.field),
       .message = std::move(expected.message)});
}

v1::EnrollRequest HostileRowList::Enroll() const {
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("c");
  *request.add_samples() = EmbeddingProbe(world_, 0);
  return request;
}

v1::IdentifyRequest HostileRowList::Identify() const {
  v1::IdentifyRequest request;
  request.set_collection_id("people");
  *request.mutable_probe() = EmbeddingProbe(world_, 0);
  return request;
}

v1::VerifyRequest HostileRowList::Verify() const {
  v1::VerifyRequest request;
  request.set_collection_id("people");
  request.set_identity_id("a");
  *request.mutable_probe() = EmbeddingProbe(world_, 0);
  return request;
}

}  // namespace facegate
