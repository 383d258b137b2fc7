#include "trainer/command/fit_processes.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <stop_token>
#include <system_error>
#include <thread>
#include <vector>

#include "face/base/file.h"
#include "trainer/run/follow_fit.h"
#include "trainer/run/own_device.h"

namespace facegate {
namespace {

// They end at once when they are told to, or when another one is gone.
constexpr std::chrono::seconds kPatience(20);
constexpr std::chrono::seconds kToSeeWhoDied(3);
constexpr char kRecipe[] = "/recipe.yaml";
constexpr char kMeeting[] = "/meeting";

// No process has died: the next try would fail the same way.
Status CannotStart(const std::string& why) { return Status(StatusCode::kAborted, why); }

// A folder of its own that lives as long as it takes to meet.
class MeetingFolder {
 public:
  static StatusOr<std::unique_ptr<MeetingFolder>> Make() {
    std::error_code error;
    std::string path =
        (std::filesystem::temp_directory_path(error) / "facegate-fit-XXXXXX").string();
    if (error || mkdtemp(path.data()) == nullptr) {
      return CannotStart(fmt::format("{} cannot be made: processes meet in it", path));
    }
    return std::make_unique<MeetingFolder>(std::move(path));
  }
  explicit MeetingFolder(std::string path) : path_(std::move(path)) {}
  ~MeetingFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  MeetingFolder(const MeetingFolder&) = delete;
  MeetingFolder& operator=(const MeetingFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// A process gets another parent when its own has died. The leading one may have died before this
// one asks for the first time.
bool IsAlive(pid_t leader) { return getppid() == leader; }

// Waits a little for it: a dying process closes its sockets before it is gone.
bool IsGone(pid_t leader) {
  const auto deadline = std::chrono::steady_clock::now() + kToSeeWhoDied / 2;
  while (IsAlive(leader)) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

// Ends this process where it still waits for others long after the leading one has died.
void EndAfter(pid_t leader, const std::stop_token& stop) {
  auto alive = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto now = std::chrono::steady_clock::now();
    if (IsAlive(leader)) alive = now;
    if (now - alive < kPatience) continue;
    std::cerr << "facegate-train fit: the leading process has died; this one ends, too"
              << std::endl;
    _exit(1);
  }
}

// The leading process decides when all stop. This one was started with the signals blocked.
void IgnoreSignals() {
  sigset_t ignored;
  sigemptyset(&ignored);
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, SIG_IGN);
    sigaddset(&ignored, signal);
  }
  pthread_sigmask(SIG_UNBLOCK, &ignored, nullptr);
}

}  // namespace

int ThreadsOfOne(const Recipe& spelled_out) {
  return static_cast<int>(
      std::max<int64_t>(1, spelled_out.machine.threads / spelled_out.machine.processes));
}

StatusOr<std::shared_ptr<ProcessGroup>> FitProcesses::Join(const Recipe& spelled_out) {
  if (!HasGroups()) return JoinGroup({});
  FACEGATE_ASSIGN_OR_RETURN(const Device first, DeviceOfProcess(spelled_out.machine, 0));
  FACEGATE_ASSIGN_OR_RETURN(const auto folder, MeetingFolder::Make());
  const Status written = WriteFileAtomically(folder->path() + kRecipe, RecipeToYaml(spelled_out));
  if (!written.ok()) return CannotStart(std::string(MessageOf(written)));
  const auto size = static_cast<int>(spelled_out.machine.processes);
  std::vector<std::vector<std::string>> arguments;
  for (int rank = 1; rank < size; ++rank) {
    arguments.push_back({"fit", "--follow", folder->path(), "--rank", std::to_string(rank),
                         "--leader", std::to_string(getpid())});
  }
  FACEGATE_ASSIGN_OR_RETURN(started_, StartedProcesses::Start(arguments));
  auto group = JoinGroup({.rendezvous = folder->path() + kMeeting,
                          .rank = 0,
                          .size = size,
                          .still_coming =
                              [this] {
                                const auto who = Failed();
                                return who.has_value() ? Unavailable(*who) : OkStatus();
                              },
                          .first_card = std::max(0, first.card)});
  if (!group.ok()) {
    const auto who = Failed();
    return who.has_value() ? Unavailable(*who) : group.status();
  }
  group_ = *group;
  return group;
}

std::optional<std::string> FitProcesses::Failed() {
  return started_->WaitForFailure(std::chrono::milliseconds(0));
}

Status LostEachOther(const Status& failure, const std::optional<std::string>& who,
                     const std::optional<std::string>& later) {
  const std::string why = who.has_value() ? *who
                          : later.has_value()
                              ? fmt::format("{}; then {}", MessageOf(failure), *later)
                              : std::string(MessageOf(failure));
  return Unavailable(fmt::format(
      "{}. All have ended; the run goes on from its newest checkpoint when it is started again",
      why));
}

Status FitProcesses::Explain(const Status& failure) {
  if (group_ == nullptr || !HasFailed(*group_)) return failure;
  const auto who = started_->WaitForFailure(kToSeeWhoDied);
  group_.reset();
  // They notice by themselves; it is their end that is waited for, not what they say of it.
  started_->WaitForAll(kPatience).IgnoreError();
  return LostEachOther(failure, who, Failed());
}

Status FitProcesses::Finish() {
  if (started_ == nullptr) return OkStatus();
  group_.reset();
  return started_->WaitForAll(kPatience);
}

Status RunFollower(const FollowOptions& options) {
  const auto leader = static_cast<pid_t>(options.leader);
  IgnoreSignals();
  const std::jthread watch([leader](const std::stop_token& stop) { EndAfter(leader, stop); });
  Recipe recipe;
  FACEGATE_RETURN_IF_ERROR(ReadRecipe(options.meeting + kRecipe, recipe));
  FACEGATE_ASSIGN_OR_RETURN(const Device first, DeviceOfProcess(recipe.machine, 0));
  const auto size = static_cast<int>(recipe.machine.processes);
  FACEGATE_ASSIGN_OR_RETURN(
      const auto group,
      JoinGroup({.rendezvous = options.meeting + kMeeting,
                 .rank = options.rank,
                 .size = size,
                 .still_coming =
                     [leader] {
                       return IsAlive(leader) ? OkStatus()
                                              : Unavailable("process 1, which leads, has died");
                     },
                 .first_card = std::max(0, first.card)}));
  const Session session({.out = std::cerr, .progress = std::cerr, .threads = ThreadsOfOne(recipe)});
  Status status = FollowFit(recipe, group, session);
  if (status.ok()) return status;
  const std::string own = fmt::format("process {} of {}", options.rank + 1, size);
  if (!HasFailed(*group)) return Annotate(status, own);
  return Unavailable(
      IsGone(leader)
          ? fmt::format("{} ends: process 1 of {}, which leads, has died. The run goes on from its "
                        "newest checkpoint when it is started again",
                        own, size)
          : fmt::format("{} ends, because another one is gone", own));
}

}  // namespace facegate
