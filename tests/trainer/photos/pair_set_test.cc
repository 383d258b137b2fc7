#include "trainer/photos/pair_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <opencv2/imgproc.hpp>

#include "face/base/file.h"
#include "tests/support/pair_set_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/bcolz_pairs.h"
#include "trainer/photos/float_pairs.h"
#include "trainer/photos/memfile_pairs.h"
#include "trainer/photos/pickled_pairs.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::string_literals;

StatusOr<PairSet> OpenAny(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const PairSetFormat* const format, FormatOfPairSet(path));
  if (format == nullptr) return NotFound("no set of pairs");
  return format->open(path);
}

void ExpectSet(const StatusOr<PairSet>& set, const TestPairs& expected) {
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->name, "lfw");
  ASSERT_EQ(set->pairs.size(), expected.same.size());
  for (size_t i = 0; i < set->pairs.size(); ++i) {
    EXPECT_EQ(set->pairs[i].first, 2 * i);
    EXPECT_EQ(set->pairs[i].second, 2 * i + 1);
    EXPECT_EQ(set->pairs[i].same, expected.same[i]);
  }
  ASSERT_EQ(set->pictures->size(), expected.pictures.size());
  for (size_t i = 0; i < expected.pictures.size(); ++i) {
    const auto picture = set->pictures->Load(i);
    ASSERT_THAT(picture, IsOk());
    EXPECT_EQ(cv::norm(*picture, expected.pictures[i], cv::NORM_INF), 0.0) << i;
  }
}

class PairSetTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, std::string_view bytes) {
    std::filesystem::create_directories(std::filesystem::path(dir_.File(name)).parent_path());
    ASSERT_THAT(WriteFileAtomically(dir_.File(name), bytes), IsOk());
  }
  std::string ErrorOf(const std::string& name) {
    const auto set = OpenAny(dir_.File(name));
    EXPECT_FALSE(set.ok());
    return set.ok() ? "" : std::string(MessageOf(set.status()));
  }

  const TempDir dir_;
  const TestPairs pairs_ = MakeTestPairs(3);
};

TEST_F(PairSetTest, EachFormGivesTheSamePicturesAndPairs) {
  Write("lfw.bin", PairPickle(pairs_));
  ExpectSet(OpenAny(dir_.File("lfw.bin")), pairs_);
  Write("2/lfw.bin", PairPickle(pairs_, 2));
  ExpectSet(OpenAny(dir_.File("2/lfw.bin")), pairs_);
  WriteBcolzPairs(dir_.File("bcolz/lfw"), pairs_, 4);
  ExpectSet(OpenAny(dir_.File("bcolz/lfw")), pairs_);
  ExpectSet(OpenAny(dir_.File("bcolz/lfw/")), pairs_);
  WriteMemfilePairs(dir_.File("mem/lfw"), pairs_);
  for (const char* const way : {"mem/lfw", "mem/lfw/memfile", "mem/lfw/memfile/mem_file.dat",
                                "mem/lfw/memfile/mem_file.dat.conf"}) {
    ExpectSet(OpenAny(dir_.File(way)), pairs_);
  }
}

// link/.. is the folder above that to which the link leads.
TEST_F(PairSetTest, FindsASetOnAWayUpThroughALink) {
  WriteBcolzPairs(dir_.File("disk/bcolz/lfw"), pairs_, 4);
  WriteMemfilePairs(dir_.File("disk/mem/lfw"), pairs_);
  std::filesystem::create_directory(dir_.File("disk/deep"));
  std::filesystem::create_directory_symlink(dir_.File("disk/deep"), dir_.File("link"));
  ExpectSet(OpenAny(dir_.File("link/../bcolz/lfw")), pairs_);
  ExpectSet(OpenAny(dir_.File("link/../mem/lfw/")), pairs_);
}

TEST_F(PairSetTest, ReadsChunksInAnyOrder) {
  WriteBcolzPairs(dir_.File("lfw"), pairs_, 2);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PairSet set, OpenAny(dir_.File("lfw")));
  for (const size_t i : {5, 0, 3, 2, 4, 1}) {
    const auto picture = set.pictures->Load(i);
    ASSERT_THAT(picture, IsOk());
    EXPECT_EQ(cv::norm(*picture, pairs_.pictures[i], cv::NORM_INF), 0.0) << i;
  }
}

TEST_F(PairSetTest, AListOfPairsIsNone) {
  Write("pairs.txt", "a.jpg b.jpg 1\n");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PairSetFormat* const format,
                                FormatOfPairSet(dir_.File("pairs.txt")));
  EXPECT_EQ(format, nullptr);
}

TEST_F(PairSetTest, NamesTheSetsOfAFolder) {
  WriteBcolzPairs(dir_.File("val/cfp_fp"), pairs_, 4);
  Write("val/lfw.bin", PairPickle(pairs_));
  EXPECT_THAT(ErrorOf("val"),
              AllOf(HasSubstr("holds 2 sets of pairs (cfp_fp, lfw.bin)"), HasSubstr("val/cfp_fp")));
  std::filesystem::create_directories(dir_.File("empty"));
  EXPECT_THAT(ErrorOf("empty"), HasSubstr("is a folder without a set of pairs"));
}

TEST_F(PairSetTest, SaysWhatIsWrongWithAPickle) {
  Write("a.bin", "\x80\2cos\nsystem\n(U\4trueutR.");
  EXPECT_THAT(ErrorOf("a.bin"), AllOf(HasSubstr("a.bin"), HasSubstr("\"os.system\""),
                                      HasSubstr("not allowed in a set of pairs")));
  Write("b.bin", "\x80\2].");
  EXPECT_THAT(ErrorOf("b.bin"), HasSubstr("(pictures, same)"));
  TestPairs odd = pairs_;
  odd.same.pop_back();
  Write("c.bin", PairPickle(odd));
  EXPECT_THAT(ErrorOf("c.bin"), HasSubstr("6 pictures for 2 pairs, expected two for each"));
  Write("d.bin", "\x80\2](K\1K\2e]\x88\x61\x86.");
  EXPECT_THAT(ErrorOf("d.bin"), HasSubstr("picture 0 is neither bytes nor"));
  Write("e.bin", "(lp0\nS'a'\n.");
  EXPECT_THAT(ErrorOf("e.bin"), HasSubstr("e.bin is no Python pickle of protocol 2 to 5"));
}

TEST_F(PairSetTest, NamesAPictureThatCannotBeRead) {
  Write("a.bin", "\x80\2](U\3abcU\3defe]\x88\x61\x86.");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PairSet set, OpenAny(dir_.File("a.bin")));
  const auto picture = set.pictures->Load(1);
  EXPECT_THAT(std::string(MessageOf(picture.status())), HasSubstr("a.bin picture 1"));
}

TEST_F(PairSetTest, ResizesSquarePicturesAndRefusesOthers) {
  TestPairs other = MakeTestPairs(1);
  cv::resize(other.pictures[0], other.pictures[0], {160, 160});
  cv::resize(other.pictures[1], other.pictures[1], {112, 160});
  Write("a.bin", PairPickle(other));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PairSet set, OpenAny(dir_.File("a.bin")));
  const auto square = set.pictures->Load(0);
  ASSERT_THAT(square, IsOk());
  EXPECT_EQ(square->size(), cv::Size(112, 112));
  EXPECT_THAT(std::string(MessageOf(set.pictures->Load(1).status())),
              HasSubstr("is 112 x 160 pixels, expected an aligned crop of 112 x 112"));
}

TEST_F(PairSetTest, SaysWhatIsMissingOfAnArray) {
  WriteBcolzPairs(dir_.File("lfw"), pairs_, 2);
  std::filesystem::remove(dir_.File("lfw/data/__1.blp"));
  EXPECT_THAT(ErrorOf("lfw"), AllOf(HasSubstr("1 of 3 chunks are there"), HasSubstr("__1.blp")));
  WriteBcolzPairs(dir_.File("lfw"), pairs_, 2);
  std::filesystem::remove(dir_.File("lfw_list.npy"));
  EXPECT_THAT(ErrorOf("lfw"), HasSubstr("lfw_list.npy"));
  WriteMemfilePairs(dir_.File("mem"), pairs_);
  Write("mem/memfile/mem_file.dat", "short");
  EXPECT_THAT(ErrorOf("mem"), HasSubstr("has 5 bytes, 6 pictures need 903168"));
}

TEST(PickledPairsTest, ReadsBytesOfEveryProtocol) {
  for (const std::string& pickle :
       {"\x80\2](U\2\xff\1U\1be]\x88\x61\x86."s,                   // Python 2
        "\x80\3](C\2\xff\1C\1be]\x88\x61\x86."s,                   // bytes
        "\x80\5](\x96\2\0\0\0\0\0\0\0\xff\1C\1be]\x88\x61\x86."s,  // a bytearray
        "\x80\2](c_codecs\nencode\nX\3\0\0\0\xc3\xbf\1X\6\0\0\0latin1\x86RU\1be]\x88\x61\x86."s}) {
    const auto pairs = ParsePickledPairs(pickle);
    ASSERT_THAT(pairs, IsOk());
    ASSERT_EQ(pairs->pictures.size(), 2U);
    EXPECT_EQ(BytesOf(pairs->pictures[0]).value_or(""), "\xff\1");
    EXPECT_EQ(BytesOf(pairs->pictures[1]).value_or(""), "b");
    EXPECT_THAT(pairs->same, ElementsAre(true));
  }
}

// numpy 1.24 wrote ([array(b"abc"), array(b"d")], [bool_(True)]) with protocol 2; version 2 says
// numpy._core for numpy.core.
TEST(PickledPairsTest, ReadsArraysAndTruthValuesOfNumPy) {
  for (const std::string core : {"core", "_core"}) {
    const std::string type =
        "cnumpy\ndtype\nX\2\0\0\0u1\x89\x88\x87R(K\3X\1\0\0\0|NNNJ\xff\xff\xff"
        "\xffJ\xff\xff\xff\xffK\0tb"s;
    const auto array = [&](const std::string& text) {
      return "cnumpy." + core + ".multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"s +
             "c_codecs\nencode\nX\1\0\0\0bX\6\0\0\0latin1\x86R\x87R(K\1K"s +
             static_cast<char>(text.size()) + "\x85"s + type + "\x89"s + "c_codecs\nencode\nX"s +
             static_cast<char>(text.size()) + "\0\0\0"s + text + "X\6\0\0\0latin1\x86Rtb"s;
    };
    const std::string truth =
        "cnumpy." + core + ".multiarray\nscalar\ncnumpy\ndtype\nX\2\0\0\0b1"s +
        "\x89\x88\x87R(K\3X\1\0\0\0|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"s +
        "c_codecs\nencode\nX\1\0\0\0\1X\6\0\0\0latin1\x86R\x86R"s;
    const auto pairs =
        ParsePickledPairs("\x80\2](" + array("abc") + array("d") + "e]" + truth + "a\x86.");
    ASSERT_THAT(pairs, IsOk()) << core;
    EXPECT_EQ(BytesOf(pairs->pictures[0]).value_or(""), "abc");
    EXPECT_EQ(BytesOf(pairs->pictures[1]).value_or(""), "d");
    EXPECT_THAT(pairs->same, ElementsAre(true));
  }
}

// Each costs the file two bytes, and the reader more.
TEST(PickledPairsTest, RefusesAPictureThatStandsMillionsOfTimes) {
  std::string pickle = "\x80\2](U\1aq\0"s;
  for (int i = 0; i < 2'000'000; ++i) pickle += "h\0"s;
  const auto pairs = ParsePickledPairs(pickle + "e](\x88\x65\x86.");
  ASSERT_THAT(pairs, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(pairs.status())),
              HasSubstr("2000001 pictures, the most is 2000000"));
}

TEST(PickledPairsTest, RefusesTextThatIsNoBytes) {
  EXPECT_THAT(BytesOf({.bytes = "\xc4\x80", .is_text = true}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(BytesOf({.bytes = "\xc3", .is_text = true}), StatusIs(StatusCode::kInvalidArgument));
}

// Python's blosc wrote 64 floats, sixteen times (-1, -0.5, 0.5, 1), with blosclz and byte shuffle.
TEST(BcolzPairsTest, DecodesAChunkOfAnotherWriter) {
  const std::string chunk =
      "blpk\1\0\0\0\1\0\0\0\0\0\0\0"s
      "\x02\x01\x11\x04\x00\x01\x00\x00\x00\x01\x00\x00\x33\x00\x00\x00\x14\x00\x00\x00"s
      "\x1b\x00\x00\x00\x23\x00\x00\x00\x00\xe0\x73\x03\x03\x80\x00\x00\x80\xe0\x33\x03\x03"s
      "\xbf\xbf\x3f\x3f\xe0\x31\x03\x01\x3f\x3f"s;
  const auto values = DecodeBcolzChunk(chunk, 256, 256);
  ASSERT_THAT(values, IsOk());
  std::string expected;
  for (int i = 0; i < 16; ++i) expected += "\0\0\x80\xbf\0\0\0\xbf\0\0\0\x3f\0\0\x80\x3f"s;
  EXPECT_EQ(*values, expected);
  EXPECT_THAT(DecodeBcolzChunk(chunk, 257, 300), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(DecodeBcolzChunk(chunk + "x", 256, 256), StatusIs(StatusCode::kInvalidArgument));
}

TEST(BcolzPairsTest, ReadsItsDescription) {
  const auto layout = ParseBcolzLayout(
      R"({"shape": [12000, 3, 112, 112], "nbytes": 1806336000, "cbytes": 7})",
      R"({"dtype": "float32", "cparams": {}, "chunklen": 13, "dflt": 0.0, "expectedlen": 12000})");
  ASSERT_THAT(layout, IsOk());
  EXPECT_EQ(layout->pictures, 12000U);
  EXPECT_EQ(layout->chunk_pictures, 13U);
}

// More than can be added to without an overflow.
TEST(BcolzPairsTest, AChunkHasNoMorePicturesThanTheArray) {
  for (const char* const chunklen : {"9223372036854775807", "18446744073709551615"}) {
    const auto layout =
        ParseBcolzLayout(R"({"shape": [12, 3, 112, 112]})",
                         fmt::format(R"({{"dtype": "float32", "chunklen": {}}})", chunklen));
    ASSERT_THAT(layout, IsOk()) << chunklen;
    EXPECT_EQ(layout->chunk_pictures, 12U);
  }
}

TEST(BcolzPairsTest, RefusesOtherArrays) {
  const std::string storage = R"({"dtype": "float32", "chunklen": 13})";
  const std::string sizes = R"({"shape": [4, 3, 112, 112]})";
  const auto error = [](const std::string& one, const std::string& other) {
    return std::string(MessageOf(ParseBcolzLayout(one, other).status()));
  };
  EXPECT_THAT(error(R"({"shape": [4, 112, 112, 3]})", storage),
              HasSubstr("shape (4, 112, 112, 3), expected float32 and (N, 3, 112, 112)"));
  EXPECT_THAT(error(sizes, R"({"dtype": "float64", "chunklen": 13})"),
              HasSubstr("array of float64"));
  EXPECT_THAT(error(sizes, R"({"dtype": "float32", "chunklen": 0})"),
              HasSubstr("0 pictures in a chunk"));
  EXPECT_THAT(error(sizes, R"({"dtype": "float32"})"), HasSubstr("no \"chunklen\""));
  EXPECT_THAT(error("[", storage), HasSubstr("meta/sizes that is no JSON"));
}

TEST(FloatPairsTest, RefusesValuesThatNoPixelGives) {
  std::string row(kBytesOfPicture, '\0');
  FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat grey, PictureOfFloats(row));
  EXPECT_EQ(grey.at<cv::Vec3b>(50, 50), cv::Vec3b(128, 128, 128));
  const float value = 127.0F;
  std::memcpy(row.data() + 400, &value, sizeof value);
  EXPECT_THAT(std::string(MessageOf(PictureOfFloats(row).status())),
              HasSubstr("has the value 127, expected -1 to 1"));
}

TEST(MemfilePairsTest, ReadsItsDescription) {
  EXPECT_EQ(ParseMemfileConf(R"({"shape": [14000, 3, 112, 112], "dtype": "float32"})").value_or(0),
            14000U);
  EXPECT_THAT(ParseMemfileConf(R"({"shape": [14000, 3, 112, 112], "dtype": "int8"})"),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
