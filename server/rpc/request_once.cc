#include "server/rpc/request_once.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "face/base/sha256.h"

namespace facegate {
namespace {

// The fingerprint is of the request as it came: equal requests give equal bytes in one version of
// the server, which is what retries need.
std::string FingerprintOf(const google::protobuf::MessageLite& request) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream out(&sink);
    out.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&out);
  }
  Sha256 hash;
  hash.Update(request.GetTypeName());
  hash.Update(std::string_view("\0", 1));
  hash.Update(bytes);
  return hash.Digest();
}

}  // namespace

StatusOr<std::optional<RequestTicket>> BeginOnce(Journal& journal, const std::string& request_id,
                                                 const google::protobuf::MessageLite& request) {
  if (request_id.empty()) return std::optional<RequestTicket>();
  const std::optional<RequestId> id = ParseRequestId(request_id);
  if (!id.has_value()) {
    return RefuseField("request_id",
                       "is not a UUID: 8-4-4-4-12 hexadecimal digits, not all of them zero");
  }
  FACEGATE_ASSIGN_OR_RETURN(RequestTicket ticket,
                            journal.BeginRequest(*id, FingerprintOf(request)));
  return std::optional<RequestTicket>(std::move(ticket));
}

}  // namespace facegate
