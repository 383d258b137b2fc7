// facegate-train align as a program that is killed.
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/support/child_process.h"
#include "tests/support/rounds.h"
#include "tests/trainer/align/align_fixture.h"

namespace facegate {
namespace {

constexpr std::chrono::seconds kPatience(120);
constexpr size_t kPhotos = 60;

class KillDuringAlignTest : public AlignFixture {
 protected:
  KillDuringAlignTest() {
    for (size_t i = 0; i < kPhotos; ++i) {
      WriteBytes(File(fmt::format("photos/p{}/{}.png", i % 7, i)), DrawnPhoto(i % 4));
    }
  }
  StatusOr<std::unique_ptr<ChildProcess>> Start(const std::string& out) const {
    return ChildProcess::Start(
        {FACEGATE_TRAIN, "align", File("photos"), File(out), "--threads", "1"}, File(out + ".log"));
  }
  void ExpectTheSameBytes(const std::string& ending, const std::string& grows);
};

// `grows` is the file that tells how far it is.
void KillDuringAlignTest::ExpectTheSameBytes(const std::string& ending, const std::string& grows) {
  const auto whole = Start("whole" + ending);
  ASSERT_THAT(whole, IsOk());
  ASSERT_EQ((*whole)->Wait(kPatience), 0) << Text("whole" + ending + ".log");
  const std::string out = "killed" + ending;
  const int kills = Rounds(2, 20);
  std::uintmax_t size = 0;
  for (int kill = 0; kill < kills; ++kill) {
    const auto process = Start(out);
    ASSERT_THAT(process, IsOk());
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::error_code error;
    std::uintmax_t now = 0;
    while (!(*process)->Wait(std::chrono::milliseconds(5)).has_value() &&
           std::chrono::steady_clock::now() < deadline) {
      now = std::filesystem::file_size(File(out + grows), error);
      if (!error && now > size + 300) break;
    }
    (*process)->Signal(SIGKILL);
    const auto code = (*process)->Wait(kPatience);
    ASSERT_TRUE(kill > 0 || code == 128 + SIGKILL) << Text(out + ".log");
    size = error ? size : now;
  }
  const auto last = Start(out);
  ASSERT_THAT(last, IsOk());
  ASSERT_EQ((*last)->Wait(kPatience), 0) << Text(out + ".log");
  EXPECT_THAT(Text(out + ".log"), ::testing::HasSubstr("of them done before"));
}

TEST_F(KillDuringAlignTest, AFolderComesToTheSameBytes) {
  ExpectTheSameBytes("", "/.unfinished/manifest.csv");
  EXPECT_EQ(FilesIn(File("killed")), FilesIn(File("whole")));
  EXPECT_EQ(FilesIn(File("killed.quarantine")), FilesIn(File("whole.quarantine")));
}

TEST_F(KillDuringAlignTest, APackComesToTheSameBytes) {
  ExpectTheSameBytes(".pack", ".align/.unfinished/manifest.csv");
  EXPECT_EQ(Text("killed.pack"), Text("whole.pack"));
  EXPECT_EQ(FilesIn(File("killed.pack.align")), FilesIn(File("whole.pack.align")));
}

}  // namespace
}  // namespace facegate
