#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "clients/cpp/facegate_client.h"
#include "face/base/status.h"
#include "tests/support/child_process.h"

namespace facegate {

struct ServerProcessOptions {
  // The program; the one of this build where empty.
  std::string binary{};
  // The server's own folder: data/ (the gallery, kept between starts), port and server.log are in
  // it.
  std::filesystem::path folder{};
  std::string model{};
  // More configuration, such as "--max_batch=1".
  std::vector<std::string> flags{};
  std::chrono::milliseconds patience = std::chrono::seconds(120);
};

// The real facegate-server on a free loopback port, in a process of its own. Start it again with
// the same options to restart it on the same data. Not thread-safe, but its clients are.
class ServerProcess {
 public:
  // Returns when it answers that it is SERVING; the error has the end of its log otherwise.
  static StatusOr<std::unique_ptr<ServerProcess>> Start(const ServerProcessOptions& options);

  const std::string& target() const { return target_; }
  pid_t pid() const { return process_->pid(); }
  std::unique_ptr<FacegateClient> Connect(
      std::chrono::milliseconds timeout = std::chrono::seconds(60)) const;

  void Signal(int signal) { process_->Signal(signal); }
  std::optional<int> Wait(std::chrono::milliseconds patience) { return process_->Wait(patience); }
  // SIGTERM; OK when it then ends with exit code 0 in time.
  Status Stop();
  // kill -9, and waits until it is gone.
  void Kill();

  // All that was logged in this folder, also by earlier processes.
  std::string Log() const;

 private:
  ServerProcess(const ServerProcessOptions& options, std::unique_ptr<ChildProcess> process);
  Status WaitUntilServing();
  Status Failure(std::string_view what) const;

  const ServerProcessOptions options_;
  const std::unique_ptr<ChildProcess> process_;
  std::string target_;
};

}  // namespace facegate
