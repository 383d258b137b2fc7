#include "trainer/parallel/nccl_group.h"

#include "trainer/parallel/process_group.h"

// This file alone knows c10d's NCCL, which a build for GPUs has where its headers compile.
#ifdef FACEGATE_HAS_NCCL
#ifndef USE_C10D_NCCL
#define USE_C10D_NCCL
#endif
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#include <utility>
#include <vector>

#include "trainer/parallel/meeting_store.h"
#endif

namespace facegate {

#ifdef FACEGATE_HAS_NCCL

namespace {

using torch::Tensor;
using Clock = std::chrono::steady_clock;

// The others wait so long for what rank 0 decides; it may evaluate between two batches.
constexpr std::chrono::hours kPatience(24);
// A call takes some hundred microseconds; whether the others live is asked more rarely.
constexpr std::chrono::microseconds kBetweenLooks(20);
constexpr std::chrono::milliseconds kBetweenQuestions(20);

class NcclGroup final : public ProcessGroup {
 public:
  explicit NcclGroup(const MeetingOptions& options)
      : rank_(options.rank),
        size_(options.size),
        deadline_(options.deadline),
        still_coming_(options.still_coming),
        card_(torch::kCUDA, static_cast<c10::DeviceIndex>(options.first_card + options.rank)) {
    const auto store = c10::make_intrusive<MeetingStore>(options);
    store->Meet();
    auto settings = c10d::ProcessGroupNCCL::Options::create();
    settings->timeout = kPatience;  // c10d would end the process; a wait here ends sooner
    group_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(
        c10::make_intrusive<c10d::PrefixStore>("step", store), rank_, size_, settings);
    // Without it, this object is none, and nobody else ends what hangs.
    try {
      Connect(options.to_meet);
    } catch (...) {
      group_->abort();
      throw;
    }
  }
  // What hangs is given up.
  ~NcclGroup() override {
    if (has_failed_) group_->abort();
  }
  NcclGroup(const NcclGroup&) = delete;
  NcclGroup& operator=(const NcclGroup&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  bool has_failed() const override { return has_failed_; }

  Status Sum(Tensor& tensor) override { return Reduce(tensor, c10d::ReduceOp::SUM, deadline_); }
  Status Max(Tensor& tensor) override { return Reduce(tensor, c10d::ReduceOp::MAX, deadline_); }

  StatusOr<std::vector<Tensor>> Gather(const Tensor& tensor) override {
    std::vector<Tensor> own = {tensor.to(card_)};
    std::vector<std::vector<Tensor>> all(1);
    for (int i = 0; i < size_; ++i) all[0].push_back(torch::empty_like(own[0]));
    FACEGATE_RETURN_IF_ERROR(Wait(deadline_, [&] { return group_->allgather(all, own); }));
    for (Tensor& one : all[0]) one = one.to(tensor.device());
    return std::move(all[0]);
  }

  Status TakeFirst(Tensor& tensor) override {
    return OnCard(tensor, [&](std::vector<Tensor>& tensors) {
      return Wait(kPatience, [&] { return group_->broadcast(tensors); });
    });
  }

 private:
  // The first call connects them; from then on nobody reads the file.
  void Connect(std::chrono::milliseconds longest) {
    Tensor none = torch::zeros({1});
    const Status connected = Reduce(none, c10d::ReduceOp::SUM, longest);
    if (!connected.ok()) throw std::runtime_error(std::string(MessageOf(connected)));
  }

  Status Reduce(Tensor& tensor, c10d::ReduceOp::RedOpType how, std::chrono::milliseconds longest) {
    c10d::AllreduceOptions options;
    options.reduceOp = how;
    return OnCard(tensor, [&](std::vector<Tensor>& tensors) {
      return Wait(longest, [&] { return group_->allreduce(tensors, options); });
    });
  }

  // Changes a tensor where NCCL can.
  template <typename Change>
  Status OnCard(Tensor& tensor, const Change& change) {
    std::vector<Tensor> tensors = {tensor.to(card_)};
    FACEGATE_RETURN_IF_ERROR(change(tensors));
    if (!tensors[0].is_same(tensor)) tensor.copy_(tensors[0]);
    return OkStatus();
  }

  template <typename Begin>
  Status Wait(std::chrono::milliseconds longest, const Begin& begin) {
    try {
      const c10::intrusive_ptr<c10d::Work> work = begin();
      FACEGATE_RETURN_IF_ERROR(WaitUntilDone(*work, longest));
      work->wait();  // throws what went wrong
      return OkStatus();
    } catch (const std::exception& error) {
      return Lost(error.what());
    }
  }

  Status WaitUntilDone(c10d::Work& work, std::chrono::milliseconds longest) {
    const auto begin = Clock::now();
    auto question = begin + kBetweenQuestions;
    while (!work.isCompleted()) {
      std::this_thread::sleep_for(kBetweenLooks);
      const auto now = Clock::now();
      if (now < question) continue;
      question = now + kBetweenQuestions;
      const Status coming = still_coming_ ? still_coming_() : OkStatus();
      if (!coming.ok()) return Lost(std::string(MessageOf(coming)));
      if (now - begin >= longest) return Lost("another one says nothing");
    }
    return OkStatus();
  }

  Status Lost(const std::string& why) {
    has_failed_ = true;
    return Unavailable("the processes have lost each other: " + why);
  }

  const int rank_;
  const int size_;
  const std::chrono::milliseconds deadline_;
  const std::function<Status()> still_coming_;
  const torch::Device card_;
  bool has_failed_ = false;
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> group_;
};

}  // namespace

bool HasNccl() { return true; }

StatusOr<std::shared_ptr<ProcessGroup>> JoinNcclGroup(const MeetingOptions& options) {
  try {
    return std::shared_ptr<ProcessGroup>(std::make_shared<NcclGroup>(options));
  } catch (const std::exception& error) {
    return Unavailable(std::string("the processes do not meet: ") + error.what());
  }
}

#else

bool HasNccl() { return false; }

StatusOr<std::shared_ptr<ProcessGroup>> JoinNcclGroup(const MeetingOptions& /*options*/) {
  return FailedPrecondition("this build has no NCCL, by which cards train together");
}

#endif

}  // namespace facegate
