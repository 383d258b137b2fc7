// gRPC takes in a whole message before a handler can refuse it. Many large ones at once must not
// cost the server more than request_memory says.

#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <deque>
#include <latch>
#include <map>
#include <string>
#include <vector>

#include "facegate/v1/face_service.pb.h"
#include "tests/integration/running_server_test.h"
#include "tests/support/process_figures.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/wire_call.h"

namespace facegate {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr int kCalls = 200;
// The same calls cost 3.6 GiB without limits. What is left over request_memory (256 MiB on their
// way in, and again as much in progress) is what gRPC has received of calls that it is about to
// end.
constexpr uint64_t kMostResident = 1536 * kMiB;

// Bytes after the end of a PNG are not read, so that this is a crop to compute, of any size.
std::string LargeCrop(size_t bytes) {
  std::string crop = Encode(SyntheticCrop(1), ".png");
  crop.resize(bytes, '\0');
  return crop;
}

class MessageMemoryTest : public RunningServerTest, public ::testing::WithParamInterface<int> {
 protected:
  // The calls' codes with how often each came.
  std::map<int, int> CallAtOnce(const std::string& method, const std::string& request) {
    const grpc::Slice slice(request);
    const grpc::ByteBuffer sent(&slice, 1);  // one copy for all
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    for (int i = 0; i < GetParam(); ++i) channels.push_back(OwnConnection(server_->target()));
    struct Call {
      std::unique_ptr<grpc::GenericStub> stub;
      grpc::ClientContext context;
      grpc::ByteBuffer received;
      grpc::Status status;
    };
    std::deque<Call> calls(kCalls);
    std::latch done(kCalls);
    for (size_t i = 0; i < calls.size(); ++i) {
      Call& call = calls[i];
      call.stub = std::make_unique<grpc::GenericStub>(channels[i % channels.size()]);
      call.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(120));
      call.stub->UnaryCall(&call.context, method, grpc::StubOptions(), &sent, &call.received,
                           [&call, &done](grpc::Status status) {
                             call.status = std::move(status);
                             done.count_down();
                           });
    }
    done.wait();
    std::map<int, int> codes;
    for (const Call& call : calls) ++codes[call.status.error_code()];
    return codes;
  }
};

TEST_P(MessageMemoryTest, StaysBoundedUnder200CallsOf30MiBEach) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(CreateCollection("people"));
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("1");
  for (int i = 0; i < 4; ++i) request.add_samples()->set_aligned_crop(LargeCrop(7680 * 1024));
  const std::string bytes = request.SerializeAsString();
  ASSERT_GE(bytes.size(), 30 * kMiB);

  const auto codes = CallAtOnce("/facegate.v1.FaceService/Enroll", bytes);
  const uint64_t peak = PeakResidentBytes(server_->pid());
  std::printf("%d connections: peak %lu MiB;", GetParam(), static_cast<unsigned long>(peak / kMiB));
  for (const auto& [code, count] : codes) std::printf(" code %d: %d", code, count);
  std::printf("\n");
  EXPECT_GT(peak, 0U);
  EXPECT_LT(peak, kMostResident);
  // Each was answered, or refused as one too many.
  const auto count_of = [&codes](int code) { return codes.contains(code) ? codes.at(code) : 0; };
  EXPECT_EQ(count_of(grpc::StatusCode::OK) + count_of(grpc::StatusCode::RESOURCE_EXHAUSTED) +
                count_of(grpc::StatusCode::UNAVAILABLE),
            kCalls);
  EXPECT_GT(count_of(grpc::StatusCode::OK), 0);
  const auto ready = client_->WaitUntilReady(std::chrono::seconds(10));
  EXPECT_TRUE(ready.ok() && *ready);
  const auto right = client_->Enroll(EnrollCrops("people", "2", {LargeCrop(64 * 1024)}));
  EXPECT_TRUE(right.ok()) << right.error();
  EXPECT_THAT(server_->Stop(), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Connections, MessageMemoryTest, ::testing::Values(1, 8, 50));

}  // namespace
}  // namespace facegate
