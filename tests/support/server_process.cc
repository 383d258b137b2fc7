#include "tests/support/server_process.h"

#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <thread>
#include <utility>

#include "face/base/check.h"
#include "face/base/file.h"

namespace facegate {
namespace {

using Clock = std::chrono::steady_clock;

std::string PortFile(const ServerProcessOptions& options) {
  return (options.folder / "port").string();
}
std::string LogFile(const ServerProcessOptions& options) {
  return (options.folder / "server.log").string();
}

// 0 until the server has written it.
int ReadPort(const ServerProcessOptions& options) {
  int port = 0;
  std::ifstream(PortFile(options)) >> port;
  return port;
}

}  // namespace

ServerProcess::ServerProcess(const ServerProcessOptions& options,
                             std::unique_ptr<ChildProcess> process)
    : options_(options), process_(std::move(process)) {}

StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(const ServerProcessOptions& options) {
  std::filesystem::remove(PortFile(options));  // one that a killed server left behind
  std::vector<std::string> argv = {
      options.binary.empty() ? FACEGATE_SERVER_BINARY : options.binary,
      "--listen=127.0.0.1:0",
      "--port_file=" + PortFile(options),
      "--data_dir=" + (options.folder / "data").string(),
      "--model=" + options.model,
  };
  argv.insert(argv.end(), options.flags.begin(), options.flags.end());
  FACEGATE_ASSIGN_OR_RETURN(auto process, ChildProcess::Start(argv, LogFile(options)));
  std::unique_ptr<ServerProcess> server(new ServerProcess(options, std::move(process)));
  FACEGATE_RETURN_IF_ERROR(server->WaitUntilServing());
  return server;
}

Status ServerProcess::WaitUntilServing() {
  const Clock::time_point end = Clock::now() + options_.patience;
  while (ReadPort(options_) == 0) {
    if (process_->Wait(std::chrono::milliseconds(10)).has_value()) return Failure("it ended");
    if (Clock::now() >= end) return Failure("it opened no port in time");
  }
  target_ = fmt::format("127.0.0.1:{}", ReadPort(options_));
  const auto client = Connect();
  while (Clock::now() < end) {
    const auto ready = client->WaitUntilReady(std::chrono::milliseconds(200));
    if (ready.ok() && *ready) return OkStatus();
    if (process_->Wait(std::chrono::milliseconds(0)).has_value()) return Failure("it ended");
  }
  return Failure("it was not ready in time");
}

std::unique_ptr<FacegateClient> ServerProcess::Connect(std::chrono::milliseconds timeout) const {
  auto client = FacegateClient::Connect({.target = target_, .timeout = timeout});
  FACEGATE_CHECK(client.ok());
  return std::move(client).value();
}

Status ServerProcess::Stop() {
  Signal(SIGTERM);
  const std::optional<int> code = Wait(options_.patience);
  if (!code.has_value()) return Failure("it did not end after SIGTERM");
  if (*code != 0) return Failure(fmt::format("it ended with code {} after SIGTERM", *code));
  return OkStatus();
}

void ServerProcess::Kill() {
  Signal(SIGKILL);
  FACEGATE_CHECK(Wait(std::chrono::seconds(30)).has_value());
}

std::string ServerProcess::Log() const {
  const auto log = ReadFile(LogFile(options_), 256 << 20);
  return log.ok() ? *log : std::string();
}

Status ServerProcess::Failure(std::string_view what) const {
  constexpr size_t kShown = 4000;
  const std::string log = Log();
  return Internal(fmt::format("facegate-server: {}; its log ends with:\n{}", what,
                              log.substr(log.size() - std::min(log.size(), kShown))));
}

}  // namespace facegate
