#include "clients/cli/photo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "tests/support/temp_dir.h"

namespace facegate::cli {
namespace {

using ::testing::HasSubstr;

// A pipe that holds `content` and then ends.
class FilledPipe {
 public:
  explicit FilledPipe(const std::string& content) {
    EXPECT_EQ(::pipe(ends_.data()), 0);
    EXPECT_EQ(::write(ends_[1], content.data(), content.size()),
              static_cast<ssize_t>(content.size()));
    ::close(ends_[1]);
  }
  ~FilledPipe() { ::close(ends_[0]); }
  FilledPipe(const FilledPipe&) = delete;
  FilledPipe& operator=(const FilledPipe&) = delete;

  int descriptor() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_{};
};

// Standard input is the pipe as long as this lives.
class StandardInput {
 public:
  explicit StandardInput(const FilledPipe& pipe) : before_(::dup(STDIN_FILENO)) {
    ::dup2(pipe.descriptor(), STDIN_FILENO);
  }
  ~StandardInput() {
    ::dup2(before_, STDIN_FILENO);
    ::close(before_);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  const int before_;
};

TEST(ReadPhotoTest, ReadsADashFromStandardInputOnce) {
  const FilledPipe pipe("a photo");
  const StandardInput input(pipe);
  const auto first = ReadPhoto("-");
  ASSERT_TRUE(first.ok()) << first.error();
  EXPECT_EQ(*first, "a photo");
  const auto second = ReadPhoto("-");
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("standard input is empty"));
}

TEST(ReadPhotoTest, ReadsPipesAndDevStdin) {
  const FilledPipe pipe("from a pipe");
  const auto piped = ReadPhoto("/dev/fd/" + std::to_string(pipe.descriptor()));
  ASSERT_TRUE(piped.ok()) << piped.error();
  EXPECT_EQ(*piped, "from a pipe");
  const FilledPipe second("from standard input");
  const StandardInput input(second);
  const auto standard = ReadPhoto("/dev/stdin");
  ASSERT_TRUE(standard.ok()) << standard.error();
  EXPECT_EQ(*standard, "from standard input");
}

TEST(ReadPhotoTest, ReadsNoMoreThanTheLimit) {
  const auto endless = ReadPhoto("/dev/zero");
  ASSERT_FALSE(endless.ok());
  EXPECT_THAT(endless.error().message, HasSubstr("more than 67108864 bytes"));
  const TempDir dir;
  std::ofstream(dir.File("large")) << "x";
  std::filesystem::resize_file(dir.File("large"), (64 << 20) + 1);
  const auto large = ReadPhoto(dir.File("large"));
  ASSERT_FALSE(large.ok());
  EXPECT_THAT(large.error().message, HasSubstr("has 67108865 bytes"));
}

TEST(ReadPhotoTest, SaysWhatIsWrongWithAPath) {
  const TempDir dir;
  EXPECT_EQ(ReadPhoto(dir.File("absent")).error().message, "no such file");
  EXPECT_EQ(ReadPhoto(dir.path().string()).error().message, "is a folder, not a photo");
  std::ofstream(dir.File("empty")).close();
  EXPECT_EQ(ReadPhoto(dir.File("empty")).error().message, "is empty");
}

TEST(ReadSampleTest, KnowsThePhotoByItsDigest) {
  const TempDir dir;
  std::ofstream(dir.File("abc")) << "abc";
  const auto sample = ReadSample(dir.File("abc"), {});
  ASSERT_TRUE(sample.ok());
  EXPECT_EQ(sample->source_digest(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ReadSample(dir.File("abc"), {.crop = true})->source_digest(), sample->source_digest());
  EXPECT_EQ(ReadProbe(dir.File("abc"), {})->source_digest(), "");
}

}  // namespace
}  // namespace facegate::cli
