#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "face/base/check.h"
#include "face/base/clock.h"
#include "index/local/local_gallery.h"
#include "tests/index/local/crash_data.h"
#include "tests/support/rounds.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

extern char** environ;

namespace facegate {
namespace {

// A running change_until_killed and what it tells.
class Victim {
 public:
  Victim(const std::string& directory, const std::string& round) {
    int ends[2];
    FACEGATE_CHECK(::pipe(ends) == 0);
    posix_spawn_file_actions_t actions;
    FACEGATE_CHECK(posix_spawn_file_actions_init(&actions) == 0);
    FACEGATE_CHECK(posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) == 0);
    FACEGATE_CHECK(posix_spawn_file_actions_addclose(&actions, ends[0]) == 0);
    std::string program = FACEGATE_CHANGE_UNTIL_KILLED;
    std::string number = round;
    std::string path = directory;
    char* arguments[] = {program.data(), path.data(), number.data(), nullptr};
    FACEGATE_CHECK(posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    out_ = ::fdopen(ends[0], "r");
    FACEGATE_CHECK(out_ != nullptr);
  }
  ~Victim() { std::fclose(out_); }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  // The next line; empty at the end.
  std::string ReadLine() {
    std::string line;
    for (int c = std::fgetc(out_); c != EOF; c = std::fgetc(out_)) {
      if (c == '\n') return line;
      line.push_back(static_cast<char>(c));
    }
    return {};
  }
  void Kill() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    FACEGATE_CHECK(::waitpid(pid_, &status, 0) == pid_);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself";
  }

 private:
  pid_t pid_ = -1;
  FILE* out_ = nullptr;
};

class CrashTest : public ::testing::Test {
 protected:
  // Kills the program after `steps` lines and some more microseconds; the number of steps that it
  // told of.
  int KillAfter(const std::string& round, int steps, std::chrono::microseconds more) {
    Victim victim(dir_.File("store"), round);
    int told = 0;
    const auto note = [&told](const std::string& line) {
      if (line.empty()) return;
      EXPECT_EQ(line, std::to_string(told));
      told += 1;
    };
    for (int i = 0; i < steps; ++i) note(victim.ReadLine());
    const auto until = std::chrono::steady_clock::now() + more;
    while (std::chrono::steady_clock::now() < until) {
    }
    victim.Kill();
    for (std::string line = victim.ReadLine(); !line.empty(); line = victim.ReadLine()) note(line);
    return told;
  }

  // Expects the templates of an identity to be those of `names`, each found by a search.
  void ExpectTemplates(const Gallery& gallery, const std::string& id,
                       const std::vector<std::string>& names) {
    const auto listed = gallery.ListTemplates(kCrashCollection, id, 0, 99);
    ASSERT_THAT(listed, IsOk());
    ASSERT_EQ(listed->size(), names.size() * kCrashTemplates) << "half an identity";
    std::vector<std::vector<float>> stored;
    std::vector<std::vector<float>> expected;
    for (const TemplateInfo& info : *listed) {
      const auto embedding = gallery.GetEmbedding(kCrashCollection, id, info.id);
      ASSERT_THAT(embedding, IsOk());
      stored.emplace_back(embedding->values().begin(), embedding->values().end());
      EXPECT_TRUE(template_ids_.insert(info.id).second) << "a number given twice";
      const auto found = gallery.Search(kCrashCollection, CrashModel(), *embedding, {.k = 1});
      ASSERT_THAT(found, IsOk());
      EXPECT_EQ(found->front().identity, id);
      EXPECT_EQ(found->front().template_id, info.id);
    }
    for (const std::string& name : names) {
      for (const NewTemplate& one : CrashTemplates(name)) {
        expected.emplace_back(one.embedding.values().begin(), one.embedding.values().end());
      }
    }
    EXPECT_THAT(stored, ::testing::UnorderedElementsAreArray(expected));
  }

  // Expects what there is after `told` steps of the round, or after the one that was under way.
  void ExpectAllAcknowledged(const std::string& round, int told) {
    auto opened = OpenLocalGallery({.directory = dir_.File("store")}, Clock::System());
    ASSERT_THAT(opened, IsOk());
    const Gallery& gallery = **opened;
    const auto page = gallery.ListIdentities(kCrashCollection, "", SIZE_MAX);
    ASSERT_THAT(page, IsOk());
    for (int number = 0; number < told; ++number) ApplyCrashStep(round, number, state_);
    CrashState next = state_;
    ApplyCrashStep(round, told, next);
    if (HasIdentities(next, page->items)) state_ = next;
    ASSERT_TRUE(HasIdentities(state_, page->items)) << "after step " << told;
    template_ids_.clear();
    for (const auto& [id, names] : state_) ExpectTemplates(gallery, id, names);
  }

  TempDir dir_;
  CrashState state_;

 private:
  static bool HasIdentities(const CrashState& state, const std::vector<IdentityInfo>& listed) {
    return std::equal(state.begin(), state.end(), listed.begin(), listed.end(),
                      [](const auto& expected, const IdentityInfo& info) {
                        return expected.first == info.id &&
                               expected.second.size() * kCrashTemplates == info.template_count;
                      });
  }

  std::set<uint64_t> template_ids_;
};

TEST_F(CrashTest, FindsAllThatWasAcknowledgedBeforeAKill) {
  const int rounds = Rounds(20, 200);
  std::mt19937_64 random(42);
  for (int round = 0; round < rounds; ++round) {
    const std::string name = std::to_string(round);
    const int told = KillAfter(name, static_cast<int>(random() % 30 + 1),
                               std::chrono::microseconds(random() % 3000));
    ExpectAllAcknowledged(name, told);
  }
  EXPECT_GT(state_.size(), static_cast<size_t>(rounds));
}

TEST_F(CrashTest, OpensAStoreWhoseMakingWasCutOff) {
  for (int round = 0; round < 10; ++round) {
    const std::string directory = dir_.File("new" + std::to_string(round));
    {
      Victim victim(directory, std::to_string(round));
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2 * round);
      while (std::chrono::steady_clock::now() < until) {
      }
      victim.Kill();
    }
    EXPECT_THAT(OpenLocalGallery({.directory = directory}, Clock::System()), IsOk());
  }
}

}  // namespace
}  // namespace facegate
