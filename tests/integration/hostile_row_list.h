#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <utility>
#include <vector>

#include "facegate/v1/face_service.pb.h"
#include "facegate/v1/gallery_service.pb.h"
#include "tests/integration/hostile_rows.h"

namespace facegate {

// The full names of methods, as they stand on the wire.
std::string FaceMethod(const std::string& method);
std::string GalleryMethod(const std::string& method);

// The request id under which the collection "people" was created.
inline constexpr char kUsedRequestId[] = "0b5c8a52-7c1e-4b57-9d0e-1f1f5a3c7a11";

// A probe of a unit vector in that direction, of the model of `world`.
v1::Probe EmbeddingProbe(const HostileWorld& world, size_t direction);

// How a call must be refused; see HostileRow.
struct ExpectedRefusal {
  grpc::StatusCode code;
  std::string reason{};
  std::string field{};
  std::string message = ".*";
};

// Collects rows for a world, and has the requests that they spoil.
class HostileRowList {
 public:
  // `world` must outlive the list and its rows.
  explicit HostileRowList(const HostileWorld& world) : world_(world) {}

  template <typename Request>
  void Add(std::string name, std::string method, const Request& request, ExpectedRefusal expected,
           WireOptions options = {}) {
    AddBytes(std::move(name), std::move(method), request.SerializeAsString(), std::move(expected),
             std::move(options));
  }
  void AddBytes(std::string name, std::string method, std::string bytes, ExpectedRefusal expected,
                WireOptions options = {});
  HostileRow& last() { return rows_.back(); }
  std::vector<HostileRow> Take() { return std::move(rows_); }

  // Requests that are right.
  v1::EnrollRequest Enroll() const;
  v1::IdentifyRequest Identify() const;
  v1::VerifyRequest Verify() const;

  const HostileWorld& world() const { return world_; }

 private:
  const HostileWorld& world_;
  std::vector<HostileRow> rows_;
};

// They add the rows of one kind each.
void AddPictures(HostileRowList& rows);
void AddValues(HostileRowList& rows);
void AddStates(HostileRowList& rows);
void AddTransport(HostileRowList& rows);

}  // namespace facegate
