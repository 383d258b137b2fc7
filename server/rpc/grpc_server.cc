#include "server/rpc/grpc_server.h"

#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "server/rpc/grpc_log.h"

namespace facegate {
namespace {

// Long enough for a last answer and the health change to be written, before streams that would
// never end by themselves (Health.Watch) are cancelled.
constexpr std::chrono::milliseconds kFlushTime{200};

// The bytes of a call's headers. This is gRPC's own default, named so that no other version changes
// it.
constexpr int kMaxMetadataBytes = 8 * 1024;
// gRPC answers reflection streams with a thread each; health and our own services need none.
constexpr int kMaxStreamThreads = 16;
// A connection that says nothing within this time after it was accepted is closed.
constexpr int kHandshakeMs = 20'000;
// The server asks a connection that has been silent for so long whether its client still lives, and
// closes it when no answer comes. Otherwise calls of a client that lost its power stay for ever.
constexpr int kKeepaliveMs = 120'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
// A client that asks more often than this without a call is told to go away after a few times.
constexpr int kMinPingIntervalMs = 20'000;
constexpr int kMaxPingStrikes = 2;
// A connection without a call for so long is closed; clients open it again by themselves.
constexpr int kMaxIdleMs = 3'600'000;

// gRPC reads up to 4 MiB at a time from each connection: where that is much of what it may hold, it
// refuses calls although no other is in progress.
constexpr uint64_t kLeastBufferedBytes = 64 << 20;

// Limits what strangers may cost before any of our own code runs.
void LimitStrangers(const GrpcServerOptions& options, grpc::ServerBuilder& builder) {
  grpc::ResourceQuota quota("facegate");
  quota.Resize(std::max(options.max_buffered_bytes, kLeastBufferedBytes));
  quota.SetMaxThreads(kMaxStreamThreads);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.calls_per_connection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kMaxPingStrikes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kMaxIdleMs);
}

// Linking the reflection library turns reflection on for every server; this takes it out again.
class NoReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins, [](const std::unique_ptr<grpc::ServerBuilderPlugin>& plugin) {
      return plugin->name() == grpc::reflection::ProtoServerReflectionPlugin().name();
    });
  }
};

}  // namespace

StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                        GrpcServices& services) {
  SendGrpcLinesToOurLog();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  grpc::ServerBuilder builder;
  int port = 0;
  const std::string address = ToString(options.address);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  LimitStrangers(options, builder);
  // Otherwise a second server on the same port would silently share the calls with the first.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  if (!options.reflection) builder.SetOption(std::make_unique<NoReflection>());
  services.RegisterWith(builder);

  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port <= 0) {
    return Unavailable(fmt::format(
        "cannot listen on {}: the port is in use, or the address is not this machine's", address));
  }
  std::unique_ptr<GrpcServer> started(new GrpcServer(std::move(server), port));
  started->SetServing(false);
  return started;
}

GrpcServer::GrpcServer(std::unique_ptr<grpc::Server> server, int port)
    : server_(std::move(server)), port_(port) {}

GrpcServer::~GrpcServer() { Shutdown(); }

void GrpcServer::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* const health = server_->GetHealthCheckService();
  for (const std::string& name : GrpcServices::Names()) health->SetServingStatus(name, serving);
  health->SetServingStatus("", serving);
}

void GrpcServer::SetWritable(bool writable) {
  server_->GetHealthCheckService()->SetServingStatus(v1::GalleryService::service_full_name(),
                                                     writable);
}

void GrpcServer::EndServing() { server_->GetHealthCheckService()->Shutdown(); }

void GrpcServer::Shutdown() {
  server_->Shutdown(std::chrono::system_clock::now() + kFlushTime);
  server_->Wait();
}

}  // namespace facegate
