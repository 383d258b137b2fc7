#include "trainer/parallel/gloo_group.h"

#include <torch/version.h>

#include "trainer/parallel/process_group.h"

// This file alone knows c10d's Gloo. LibTorch 2 of the wheels comes without Gloo's headers, which
// those of its Gloo group include.
#if TORCH_VERSION_MAJOR < 2
#define FACEGATE_HAS_GLOO 1
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <utility>
#include <vector>

#include "trainer/parallel/meeting_store.h"
#else
#define FACEGATE_HAS_GLOO 0
#endif

namespace facegate {

#if FACEGATE_HAS_GLOO

namespace {

using torch::Tensor;

// The others wait so long for what rank 0 decides; it may evaluate between two batches.
constexpr std::chrono::hours kPatience(24);

// Where Gloo has the longest wait of a call, which it looks up in each; its setter is not in all
// builds of LibTorch.
struct WaitOfContext : gloo::Context {
  static void Set(gloo::Context& context, std::chrono::milliseconds wait) {
    context.*(&WaitOfContext::timeout_) = wait;
  }
};

// Connects with as much patience as meeting has; its calls may then have more.
class GlooConnection final : public c10d::ProcessGroupGloo {
 public:
  using ProcessGroupGloo::ProcessGroupGloo;

  void SetLongestCall(std::chrono::milliseconds wait) {
    for (const auto& context : contexts_) WaitOfContext::Set(*context, wait);
  }
};

c10::intrusive_ptr<GlooConnection> Connect(const c10::intrusive_ptr<c10d::Store>& store,
                                           const std::string& name, const MeetingOptions& options) {
  auto settings = c10d::ProcessGroupGloo::Options::create(options.to_meet);
  settings->threads = 1;
  settings->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
  return c10::make_intrusive<GlooConnection>(c10::make_intrusive<c10d::PrefixStore>(name, store),
                                             options.rank, options.size, settings);
}

class GlooGroup final : public ProcessGroup {
 public:
  explicit GlooGroup(const MeetingOptions& options) : rank_(options.rank), size_(options.size) {
    const auto store = c10::make_intrusive<MeetingStore>(options);
    store->Meet();
    group_ = Connect(store, "step", options);
    patient_ = Connect(store, "lead", options);
    // From here on nobody reads the file.
    Tensor none = torch::zeros({1});
    const Status connected = Sum(none);
    if (!connected.ok()) throw std::runtime_error(std::string(MessageOf(connected)));
    group_->SetLongestCall(options.deadline);
    patient_->SetLongestCall(kPatience);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  bool has_failed() const override { return has_failed_; }

  Status Sum(Tensor& tensor) final { return Reduce(tensor, c10d::ReduceOp::SUM); }
  Status Max(Tensor& tensor) override { return Reduce(tensor, c10d::ReduceOp::MAX); }

  StatusOr<std::vector<Tensor>> Gather(const Tensor& tensor) override {
    std::vector<std::vector<Tensor>> all(1);
    for (int i = 0; i < size_; ++i) all[0].push_back(torch::empty_like(tensor));
    std::vector<Tensor> own = {tensor};
    FACEGATE_RETURN_IF_ERROR(Wait([&] { return group_->allgather(all, own); }));
    return std::move(all[0]);
  }

  Status TakeFirst(Tensor& tensor) override {
    std::vector<Tensor> tensors = {tensor};
    return Wait([&] { return patient_->broadcast(tensors); });
  }

 private:
  Status Reduce(Tensor& tensor, c10d::ReduceOp::RedOpType how) {
    std::vector<Tensor> tensors = {tensor};
    c10d::AllreduceOptions options;
    options.reduceOp = how;
    return Wait([&] { return group_->allreduce(tensors, options); });
  }

  template <typename Begin>
  Status Wait(const Begin& begin) {
    try {
      begin()->wait();
      return OkStatus();
    } catch (const std::exception& error) {
      has_failed_ = true;
      return Unavailable(std::string("the processes have lost each other: ") + error.what());
    }
  }

  const int rank_;
  const int size_;
  bool has_failed_ = false;
  c10::intrusive_ptr<GlooConnection> group_;
  c10::intrusive_ptr<GlooConnection> patient_;
};

}  // namespace

bool HasGloo() { return true; }

StatusOr<std::shared_ptr<ProcessGroup>> JoinGlooGroup(const MeetingOptions& options) {
  try {
    return std::shared_ptr<ProcessGroup>(std::make_shared<GlooGroup>(options));
  } catch (const std::exception& error) {
    return Unavailable(std::string("the processes do not meet: ") + error.what());
  }
}

#else

bool HasGloo() { return false; }

StatusOr<std::shared_ptr<ProcessGroup>> JoinGlooGroup(const MeetingOptions& /*options*/) {
  return FailedPrecondition(
      "machine.processes: this build's LibTorch has no Gloo, by which processes train together");
}

#endif

}  // namespace facegate
