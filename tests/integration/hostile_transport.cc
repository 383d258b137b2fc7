// Bytes and calls that gRPC refuses itself.

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "tests/integration/hostile_row_list.h"
#include "tests/support/synthetic_crop.h"

namespace facegate {

// Such a refusal has no details.
void AddTransport(HostileRowList& rows) {
  using grpc::StatusCode;
  const std::string right = rows.Identify().SerializeAsString();
  rows.AddBytes("oversize message", FaceMethod("Identify"),
                std::string(rows.world().max_message_bytes + 1, '\0'),
                {StatusCode::RESOURCE_EXHAUSTED, "", "",
                 fmt::format("larger than max \\({} vs. {}\\)", rows.world().max_message_bytes + 1,
                             rows.world().max_message_bytes)});
  rows.AddBytes("unknown method", FaceMethod("Bogus"), right, {StatusCode::UNIMPLEMENTED});
  rows.AddBytes("unknown service", "/facegate.v1.NoService/Identify", right,
                {StatusCode::UNIMPLEMENTED});
  rows.AddBytes("path of another place", "/../../etc/passwd", right, {StatusCode::UNIMPLEMENTED});
  rows.AddBytes("bytes that are no message", FaceMethod("Identify"), std::string(100, '\xff'),
                {StatusCode::UNIMPLEMENTED});
  rows.AddBytes("a truncated message", FaceMethod("Identify"), right.substr(0, right.size() - 3),
                {StatusCode::UNIMPLEMENTED});
  rows.AddBytes("an id that is no UTF-8", FaceMethod("Identify"),
                std::string("\x0a\x02\xc3\x28", 4), {StatusCode::UNIMPLEMENTED});
  rows.AddBytes("large metadata", FaceMethod("Identify"), right, {StatusCode::RESOURCE_EXHAUSTED},
                {.metadata = {{"x-large", std::string(20'000, 'a')}}});
  // gRPC closes the connection after that, and other calls with it.
  rows.last().call = [target = rows.world().target, right] {
    return CallRaw(OwnConnection(target), FaceMethod("Identify"), right,
                   {.metadata = {{"x-large", std::string(20'000, 'a')}}});
  };
  // Two crops keep the model busy for longer than the cancellation takes.
  v1::CompareRequest compare;
  compare.mutable_first()->set_aligned_crop(Encode(SyntheticCrop(1), ".png"));
  compare.mutable_second()->set_aligned_crop(Encode(SyntheticCrop(2), ".png"));
  compare.mutable_operating_point()->set_min_cosine(0.5F);
  rows.Add("cancelled", FaceMethod("Compare"), compare, {StatusCode::CANCELLED}, {.cancel = true});
  rows.AddBytes("deadline in the past", FaceMethod("Identify"), right,
                {StatusCode::DEADLINE_EXCEEDED}, {.timeout = std::chrono::milliseconds(-1000)});
}

}  // namespace facegate
