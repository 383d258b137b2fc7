#pragma once

#include <grpcpp/server.h>

#include <cstdint>
#include <memory>

#include "face/base/status.h"
#include "server/rpc/grpc_services.h"
#include "server/rpc/listen_address.h"

namespace facegate {

struct GrpcServerOptions {
  ListenAddress address;
  uint64_t max_message_bytes = 0;  // of a request; at most INT_MAX
  // The bytes of the messages that are on their way in, all connections together; at least 64 MiB.
  // Beyond it gRPC refuses connections and calls, and ends calls that it has begun to receive.
  uint64_t max_buffered_bytes = 0;
  int calls_per_connection = 1;  // at once; further ones wait at the client
  bool reflection = true;
};

// The open port: our services, grpc.health.v1.Health and, by the switch, reflection. Plaintext.
// Health says NOT_SERVING from the start.
class GrpcServer {
 public:
  // `services` must outlive it. kUnavailable when the address cannot be listened on.
  static StatusOr<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options,
                                                     GrpcServices& services);
  // Cancels what is still in progress.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // The port chosen, also where port 0 was asked for.
  int port() const { return port_; }

  // Health of the whole server ("") and of each service.
  void SetServing(bool serving);
  // Health of the service that changes what is stored, GalleryService; the others keep theirs.
  void SetWritable(bool writable);
  // Health says NOT_SERVING for good: Watch streams hear it before the connection goes.
  void EndServing();
  // Closes the port, cancels the calls that are still in progress, and returns when their handlers
  // have ended. Idempotent.
  void Shutdown();

 private:
  GrpcServer(std::unique_ptr<grpc::Server> server, int port);

  const std::unique_ptr<grpc::Server> server_;
  const int port_;
};

}  // namespace facegate
