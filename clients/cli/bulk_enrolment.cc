#include "clients/cli/bulk_enrolment.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "clients/cpp/request_id.h"

namespace facegate {
namespace {

// What became of one person; written by the one thread that enrols them.
struct Outcome {
  size_t templates = 0;
  size_t tried = 0;
  std::vector<BulkFailure> failures;
};

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
  void EnrollPeople();
  void EnrollPerson(const PlannedPerson& person, Outcome& outcome);
  std::optional<ClientError> EnrollPhoto(const PlannedPerson& person,
                                         const std::filesystem::path& photo, bool must_be_new);
  void Stop(const ClientError& error);

  FacegateClient& client_;
  const EnrolmentPlan& plan_;
  const BulkOptions& options_;
  Progress& progress_;

  std::atomic<size_t> next_person_ = 0;
  std::atomic<bool> stopped_ = false;
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
  report.last_error = last_error_;
  for (size_t i = 0; i < outcomes_.size(); ++i) {
    const Outcome& outcome = outcomes_[i];
    report.templates += outcome.templates;
    report.people += outcome.templates > 0 ? 1 : 0;
    report.not_sent += plan_.people[i].photos.size() - outcome.tried;
    report.failures.insert(report.failures.end(), outcome.failures.begin(), outcome.failures.end());
  }
  for (const PlanConflict& conflict : plan_.conflicts) {
    report.failures.push_back({conflict.folder, "ID_CONFLICT", conflict.message});
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  report.seconds = elapsed.count();
  return report;
}

void BulkEnrolment::EnrollPeople() {
  while (!stopped_) {
    const size_t index = next_person_++;
    if (index >= plan_.people.size()) return;
    EnrollPerson(plan_.people[index], outcomes_[index]);
  }
}

void BulkEnrolment::EnrollPerson(const PlannedPerson& person, Outcome& outcome) {
  for (const std::filesystem::path& photo : person.photos) {
    if (stopped_) return;
    // The first template makes the identity; those after it belong to the same run.
    const bool must_be_new = options_.must_be_new && outcome.templates == 0;
    const auto error = EnrollPhoto(person, photo, must_be_new);
    if (error.has_value() && error->unreachable() && error->code == grpc::StatusCode::UNAVAILABLE) {
      Stop(*error);
      return;
    }
    ++outcome.tried;
    if (error.has_value()) {
      outcome.failures.push_back({photo.string(),
                                  error->reason.empty() ? CodeName(error->code) : error->reason,
                                  error->message});
    } else {
      ++outcome.templates;
    }
    progress_.Advance(!error.has_value());
  }
}

std::optional<ClientError> BulkEnrolment::EnrollPhoto(const PlannedPerson& person,
                                                      const std::filesystem::path& photo,
                                                      bool must_be_new) {
  auto probe = ReadProbe(photo.string(), options_.photo);
  if (!probe.ok()) return probe.error();
  v1::EnrollRequest request;
  request.set_collection_id(options_.collection);
  request.set_identity_id(person.id);
  request.set_must_be_new(must_be_new);
  *request.add_samples() = std::move(probe).value();
  request.set_request_id(MakeRequestId());
  const auto answer = CallWithRetry([&] { return client_.Enroll(request); }, options_.retry);
  if (!answer.ok()) return answer.error();
  return std::nullopt;
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

}  // namespace facegate
