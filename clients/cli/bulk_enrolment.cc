#include "clients/cli/bulk_enrolment.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "clients/cli/command.h"
#include "clients/cli/folder_identity.h"
#include "clients/cli/report.h"
#include "clients/cpp/request_id.h"

namespace facegate::cli {
namespace {

constexpr char kConflictReason[] = "ID_CONFLICT";

// Tells what became of one person; written by the one thread that enrols them.
struct Outcome {
  size_t templates = 0;
  size_t already = 0;
  size_t tried = 0;
  bool refused = false;  // by the server: a failure of this machine is none of its answers
  std::vector<BulkFailure> failures;
};

std::string ReasonOf(const ClientError& error) {
  return error.reason.empty() ? CodeName(error.code) : error.reason;
}

void Note(const std::string& file, const ClientError& error, Outcome& outcome) {
  outcome.failures.push_back({file, ReasonOf(error), error.message});
  outcome.refused |= ExitCodeOf(error) != ExitCode::kUsage;
}

bool IsGone(const ClientError& error) {
  return error.unreachable() && error.code == grpc::StatusCode::UNAVAILABLE;
}

class BulkEnrolment {
 public:
  BulkEnrolment(FacegateClient& client, const EnrolmentPlan& plan, const BulkOptions& options,
                Progress& progress)
      : client_(client),
        plan_(plan),
        options_(options),
        progress_(progress),
        outcomes_(plan.people.size()) {}

  BulkReport Run();

 private:
  // The outcome of one photo; an error otherwise.
  enum class PhotoResult { kEnrolled, kAlready };

  void EnrollPeople();
  void EnrollPerson(const PlannedPerson& person, Outcome& outcome);
  // The identity, or nothing when the person cannot be enrolled, which is noted.
  std::optional<FolderIdentity> LookUp(const PlannedPerson& person, Outcome& outcome);
  // Counts all photos of a person who cannot be enrolled as tried.
  void GiveUp(const PlannedPerson& person, Outcome& outcome);
  ClientResult<PhotoResult> EnrollPhoto(const PlannedPerson& person,
                                        const std::filesystem::path& photo,
                                        FolderIdentity& identity);
  void Label(const PlannedPerson& person, FolderIdentity& identity, Outcome& outcome);
  void Stop(const ClientError& error);
  // No more photo is sent.
  bool Ends();

  FacegateClient& client_;
  const EnrolmentPlan& plan_;
  const BulkOptions& options_;
  Progress& progress_;

  std::atomic<size_t> next_person_ = 0;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> interrupted_ = false;
  std::vector<Outcome> outcomes_;  // one for each person

  std::mutex mutex_;
  ClientError last_error_;  // guarded by mutex_ until the threads are joined
};

BulkReport BulkEnrolment::Run() {
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    const size_t count = std::min(plan_.people.size(), static_cast<size_t>(options_.jobs));
    for (size_t i = 0; i < count; ++i) threads.emplace_back([this] { EnrollPeople(); });
  }
  BulkReport report;
  report.unreachable = stopped_;
  report.interrupted = interrupted_;
  report.last_error = last_error_;
  for (size_t i = 0; i < outcomes_.size(); ++i) {
    const Outcome& outcome = outcomes_[i];
    report.templates += outcome.templates;
    report.already += outcome.already;
    report.people += outcome.templates > 0 ? 1 : 0;
    report.not_sent += plan_.people[i].photos.size() - outcome.tried;
    report.refused |= outcome.refused;
    report.failures.insert(report.failures.end(), outcome.failures.begin(), outcome.failures.end());
  }
  for (const PlanConflict& conflict : plan_.conflicts) {
    report.failures.push_back({conflict.folder, kConflictReason, conflict.message});
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  report.seconds = elapsed.count();
  return report;
}

void BulkEnrolment::EnrollPeople() {
  while (!Ends()) {
    const size_t index = next_person_++;
    if (index >= plan_.people.size()) return;
    EnrollPerson(plan_.people[index], outcomes_[index]);
  }
}

void BulkEnrolment::EnrollPerson(const PlannedPerson& person, Outcome& outcome) {
  std::optional<FolderIdentity> identity = LookUp(person, outcome);
  if (!identity.has_value()) return;
  if (identity->exists) Label(person, *identity, outcome);
  for (const std::filesystem::path& photo : person.photos) {
    if (Ends()) return;
    const auto result = EnrollPhoto(person, photo, *identity);
    if (!result.ok() && IsGone(result.error())) {
      Stop(result.error());
      return;
    }
    ++outcome.tried;
    if (!result.ok()) {
      Note(photo.string(), result.error(), outcome);
    } else if (*result == PhotoResult::kAlready) {
      ++outcome.already;
    } else {
      ++outcome.templates;
      Label(person, *identity, outcome);
    }
    progress_.Advance(result.ok());
  }
}

std::optional<FolderIdentity> BulkEnrolment::LookUp(const PlannedPerson& person, Outcome& outcome) {
  // The server itself refuses an identity that exists.
  if (options_.must_be_new) return FolderIdentity{};
  const auto digests = options_.again ? WithDigests::kNo : WithDigests::kYes;
  auto found = LookUpFolderIdentity(client_, options_.collection, person, digests, options_.retry);
  if (!found.ok()) {
    if (IsGone(found.error())) {
      Stop(found.error());
    } else {
      Note(person.folder, found.error(), outcome);
      GiveUp(person, outcome);
    }
    return std::nullopt;
  }
  if (found->conflict.has_value()) {
    outcome.failures.push_back({person.folder, kConflictReason, *found->conflict});
    GiveUp(person, outcome);
    return std::nullopt;
  }
  return std::move(found).value();
}

void BulkEnrolment::GiveUp(const PlannedPerson& person, Outcome& outcome) {
  outcome.tried = person.photos.size();
  for (size_t i = 0; i < person.photos.size(); ++i) progress_.Advance(false);
}

ClientResult<BulkEnrolment::PhotoResult> BulkEnrolment::EnrollPhoto(
    const PlannedPerson& person, const std::filesystem::path& photo, FolderIdentity& identity) {
  auto probe = ReadSample(photo.string(), options_.photo);
  if (!probe.ok()) return probe.error();
  const std::string digest = probe->source_digest();
  if (!options_.again && identity.digests.contains(digest)) return PhotoResult::kAlready;
  v1::EnrollRequest request;
  request.set_collection_id(options_.collection);
  request.set_identity_id(person.id);
  // The first template makes the identity; those after it belong to the same run.
  request.set_must_be_new(options_.must_be_new && !identity.exists);
  *request.add_samples() = std::move(probe).value();
  request.set_request_id(MakeRequestId());
  const auto answer = CallWithRetry([&] { return client_.Enroll(request); }, options_.retry);
  if (!answer.ok()) return answer.error();
  identity.exists = true;
  identity.digests.insert(digest);
  return PhotoResult::kEnrolled;
}

void BulkEnrolment::Label(const PlannedPerson& person, FolderIdentity& identity, Outcome& outcome) {
  if (identity.labelled) return;
  identity.labelled = true;
  auto error = LabelFolderIdentity(client_, options_.collection, person, options_.retry);
  if (!error.has_value()) return;
  if (IsGone(*error)) {
    Stop(*error);
    return;
  }
  error->message.insert(0, "the identity cannot be labelled: ");
  Note(person.folder, *error, outcome);
}

bool BulkEnrolment::Ends() {
  if (!stopped_ && options_.interrupted()) interrupted_ = true;
  return stopped_ || interrupted_;
}

void BulkEnrolment::Stop(const ClientError& error) {
  const std::lock_guard lock(mutex_);
  if (stopped_.exchange(true)) return;
  last_error_ = error;
}

}  // namespace

BulkReport EnrollPlan(FacegateClient& client, const EnrolmentPlan& plan, const BulkOptions& options,
                      Progress& progress) {
  return BulkEnrolment(client, plan, options, progress).Run();
}

}  // namespace facegate::cli
