#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <vector>

#include "trainer/parallel/meeting.h"

namespace facegate {

// The file where processes meet. A wait in it, c10d's own while it connects too, takes no longer
// than meeting may, and ends once somebody will not come.
class MeetingStore final : public c10d::FileStore {
 public:
  explicit MeetingStore(const MeetingOptions& options)
      : FileStore(options.rendezvous, options.size),
        rank_(options.rank),
        size_(options.size),
        to_meet_(options.to_meet),
        still_coming_(options.still_coming) {
    setTimeout(options.to_meet);
  }

  // Waits until all are there: they then connect at once.
  void Meet() {
    const auto key = [](int rank) { return "process " + std::to_string(rank); };
    set(key(rank_), std::vector<uint8_t>{1});
    std::vector<std::string> keys;
    for (int rank = 0; rank < size_; ++rank) keys.push_back(key(rank));
    wait(keys, to_meet_);
  }

  using FileStore::wait;
  void wait(const std::vector<std::string>& keys,
            const std::chrono::milliseconds& /*timeout*/) override {
    const auto deadline = std::chrono::steady_clock::now() + to_meet_;
    while (!check(keys)) {
      const Status coming = still_coming_ ? still_coming_() : OkStatus();
      if (!coming.ok()) throw std::runtime_error(std::string(MessageOf(coming)));
      if (std::chrono::steady_clock::now() >= deadline) {
        throw std::runtime_error("not all of them come");
      }
      std::this_thread::sleep_for(kBetweenLooks);
    }
  }

 private:
  static constexpr std::chrono::milliseconds kBetweenLooks{10};

  const int rank_;
  const int size_;
  const std::chrono::milliseconds to_meet_;
  const std::function<Status()> still_coming_;
};

}  // namespace facegate
