#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <random>
#include <set>
#include <string>

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

// A running enrol_until_killed and what it tells.
class Victim {
 public:
  Victim(const std::string& directory, int round) {
    int ends[2];
    FACEGATE_CHECK(::pipe(ends) == 0);
    posix_spawn_file_actions_t actions;
    FACEGATE_CHECK(posix_spawn_file_actions_init(&actions) == 0);
    FACEGATE_CHECK(posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) == 0);
    FACEGATE_CHECK(posix_spawn_file_actions_addclose(&actions, ends[0]) == 0);
    std::string program = FACEGATE_ENROL_UNTIL_KILLED;
    std::string number = std::to_string(round);
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
  void Note(const std::string& line) {
    if (line.empty()) return;
    last_line_ = line;
    const std::string id = line.substr(1);
    if (line.front() == '+') {
      there_.insert(id);
    } else {
      there_.erase(id);
      gone_.insert(id);
    }
  }

  // Kills the program after `steps` lines and some more microseconds, and notes what was
  // acknowledged.
  void KillAfter(int round, int steps, std::chrono::microseconds more) {
    Victim victim(dir_.File("store"), round);
    for (int i = 0; i < steps; ++i) Note(victim.ReadLine());
    const auto until = std::chrono::steady_clock::now() + more;
    while (std::chrono::steady_clock::now() < until) {
    }
    victim.Kill();
    for (std::string line = victim.ReadLine(); !line.empty(); line = victim.ReadLine()) Note(line);
  }

  void ExpectWholeIdentity(const Gallery& gallery, const std::string& id) {
    const auto listed = gallery.ListTemplates(kCrashCollection, id, 0, 9);
    ASSERT_THAT(listed, IsOk());
    ASSERT_EQ(listed->size(), kCrashTemplates) << "half an identity";
    const std::vector<NewTemplate> expected = CrashTemplates(id);
    for (size_t i = 0; i < kCrashTemplates; ++i) {
      const auto embedding = gallery.GetEmbedding(kCrashCollection, id, (*listed)[i].id);
      ASSERT_THAT(embedding, IsOk());
      EXPECT_EQ(*embedding, expected[i].embedding);
      EXPECT_TRUE(template_ids_.insert((*listed)[i].id).second) << "a number given twice";
      const auto found = gallery.Search(kCrashCollection, CrashModel(), *embedding, {.k = 1});
      ASSERT_THAT(found, IsOk());
      EXPECT_EQ(found->front().identity, id);
      EXPECT_EQ(found->front().template_id, (*listed)[i].id);
    }
  }

  void ExpectAllAcknowledged() {
    auto opened = OpenLocalGallery({.directory = dir_.File("store")}, Clock::System());
    ASSERT_THAT(opened, IsOk());
    const Gallery& gallery = **opened;
    template_ids_.clear();
    std::set<std::string> listed;
    const auto page = gallery.ListIdentities(kCrashCollection, "", SIZE_MAX);
    ASSERT_THAT(page, IsOk());
    for (const IdentityInfo& info : page->items) {
      listed.insert(info.id);
      ExpectWholeIdentity(gallery, info.id);
      EXPECT_FALSE(gone_.contains(info.id)) << "a deletion was forgotten";
    }
    for (const std::string& id : there_) {
      if (listed.contains(id)) continue;
      // Its deletion may have been under way, right after its enrolment was told.
      EXPECT_EQ(last_line_, "+" + id) << "an acknowledged identity is missing";
      gone_.insert(id);
    }
    there_ = listed;
  }

  TempDir dir_;
  std::set<std::string> there_;  // acknowledged and not deleted since
  std::set<std::string> gone_;
  std::set<uint64_t> template_ids_;
  std::string last_line_;
};

TEST_F(CrashTest, FindsAllThatWasAcknowledgedBeforeAKill) {
  const int rounds = Rounds(8, 120);
  std::mt19937_64 random(42);
  for (int round = 0; round < rounds; ++round) {
    KillAfter(round, static_cast<int>(random() % 40 + 1),
              std::chrono::microseconds(random() % 3000));
    ExpectAllAcknowledged();
  }
  EXPECT_GT(there_.size(), static_cast<size_t>(5 * rounds));
}

TEST_F(CrashTest, OpensAStoreWhoseMakingWasCutOff) {
  for (int round = 0; round < 10; ++round) {
    const std::string directory = dir_.File("new" + std::to_string(round));
    {
      Victim victim(directory, round);
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
