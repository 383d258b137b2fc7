#include "tests/support/wire_call.h"

#include <arpa/inet.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <latch>
#include <vector>

#include "face/base/check.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace facegate {
namespace {

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

WireAnswer AnswerOf(const grpc::Status& status) {
  WireAnswer answer{.code = status.error_code(), .message = status.error_message()};
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return answer;
  for (const auto& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      answer.reason = info.reason();
      answer.domain = info.domain();
    } else if (detail.UnpackTo(&bad) && !bad.field_violations().empty()) {
      answer.field = bad.field_violations(0).field();
    } else if (detail.UnpackTo(&retry)) {
      answer.has_retry = true;
    }
  }
  return answer;
}

}  // namespace

WireAnswer CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                   const std::string& request, const WireOptions& options) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + options.timeout);
  for (const auto& [key, value] : options.metadata) context.AddMetadata(key, value);
  const grpc::Slice slice(request);
  const grpc::ByteBuffer sent(&slice, 1);
  grpc::ByteBuffer received;
  grpc::Status status;
  std::latch done(1);
  stub.UnaryCall(&context, method, grpc::StubOptions(), &sent, &received, [&](grpc::Status result) {
    status = std::move(result);
    done.count_down();
  });
  if (options.cancel) context.TryCancel();
  done.wait();
  WireAnswer answer = AnswerOf(status);
  if (status.ok()) answer.response = BytesOf(received);
  return answer;
}

bool SendGarbage(const std::string& target, const std::string& bytes,
                 std::chrono::milliseconds patience) {
  const size_t colon = target.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(target.substr(colon + 1))));
  FACEGATE_CHECK(::inet_pton(AF_INET, target.substr(0, colon).c_str(), &address.sin_addr) == 1);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  FACEGATE_CHECK(fd >= 0);
  bool closed = false;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    // The server may hang up before it has read all of them.
    if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) closed = true;
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!closed && std::chrono::steady_clock::now() < end) {
      pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 10) <= 0) continue;
      std::array<char, 4096> ignored{};
      closed = ::recv(fd, ignored.data(), ignored.size(), 0) <= 0;
    }
  }
  ::close(fd);
  return closed;
}

std::shared_ptr<grpc::Channel> OwnConnection(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace facegate
