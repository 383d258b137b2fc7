#include "trainer/photos/npy_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "face/base/npy_header.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Bytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// A file with this dictionary, as version 1.0.
std::string File(const std::string& dictionary, const std::vector<float>& values) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes.push_back(static_cast<char>(dictionary.size() % 256));
  bytes.push_back(static_cast<char>(dictionary.size() / 256));
  return bytes + dictionary + Bytes(values);
}

std::string Shape(const std::string& shape) {
  return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
}

void ExpectRefused(const std::string& bytes, const std::string& words) {
  const auto array = ParseNpy(bytes);
  ASSERT_THAT(array, StatusIs(StatusCode::kInvalidArgument)) << bytes.substr(0, 100);
  EXPECT_THAT(std::string(MessageOf(array.status())), HasSubstr(words));
}

TEST(NpyFileTest, ReadsWhatItWrites) {
  const auto array = ParseNpy(NpyHeader({2, 3}) + Bytes({1, 2, 3, 4, 5, -6.5F}));
  ASSERT_THAT(array, IsOk());
  EXPECT_THAT(array->shape, ElementsAre(2u, 3u));
  EXPECT_THAT(array->values, ElementsAre(1, 2, 3, 4, 5, -6.5F));
}

TEST(NpyFileTest, TakesEveryShapeAndWayToWriteIt) {
  EXPECT_THAT(ParseNpy(File(Shape("(3,)"), {1, 2, 3}))->shape, ElementsAre(3u));
  EXPECT_THAT(ParseNpy(File(Shape("()"), {1}))->values, ElementsAre(1));
  EXPECT_THAT(ParseNpy(File(Shape("(0, 5)"), {}))->shape, ElementsAre(0u, 5u));
  EXPECT_THAT(ParseNpy(File(Shape("(2, 1, 2)"), {1, 2, 3, 4}))->shape, ElementsAre(2u, 1u, 2u));
  EXPECT_THAT(
      ParseNpy(File("{\"shape\":(1,2),\"descr\":\"<f4\",\"fortran_order\":False}\n", {1, 2}))
          ->shape,
      ElementsAre(1u, 2u));
}

TEST(NpyFileTest, ReadsLaterVersionsWithLongHeaders) {
  const std::string dictionary = Shape("(1, 2)");
  for (const char version : {'\2', '\3'}) {
    std::string bytes("\x93NUMPY", 6);
    bytes += {version, 0, static_cast<char>(dictionary.size()), 0, 0, 0};
    EXPECT_THAT(ParseNpy(bytes + dictionary + Bytes({1, 2})), IsOk());
  }
  std::string bytes = File(dictionary, {1, 2});
  bytes[6] = 4;
  ExpectRefused(bytes, "version 4.0");
}

TEST(NpyFileTest, SaysWhatItDoesNotTake) {
  ExpectRefused(File("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", {1, 2}),
                "astype('<f4')");
  ExpectRefused(File("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", {1}), "<f4");
  ExpectRefused(File("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", {1, 2}),
                "Fortran");
  ExpectRefused("", "no .npy file");
  ExpectRefused(File(Shape("(2,)"), {1}), "its shape says");
  ExpectRefused(File(Shape("(2,)"), {1, 2, 3}), "its shape says 8");
}

TEST(NpyFileTest, RefusesBrokenDictionaries) {
  for (const std::string dictionary :
       {"", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 1, }",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }",
        "{'descr': <f4, 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x",
        "__import__('os').system('true')"}) {
    ExpectRefused(File(dictionary, {1}), "header");
  }
}

// Counts whose product overflows, or that no memory could hold.
TEST(NpyFileTest, AllocatesNoMoreThanTheBytesHold) {
  for (const std::string shape :
       {"(4611686018427387904, 4)", "(4294967296, 4294967296)", "(18446744073709551615,)",
        "(1000000000000,)", "(0, 18446744073709551615, 2)", "(9999999999999999999999,)"}) {
    const auto array = ParseNpy(File(Shape(shape), {1}));
    EXPECT_THAT(array, StatusIs(StatusCode::kInvalidArgument)) << shape;
  }
  std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (int i = 0; i < 33; ++i) dictionary += "1,";
  ExpectRefused(File(dictionary + ")}", {1}), "header");
}

TEST(NpyFileTest, RefusesEveryTruncation) {
  const std::string whole = NpyHeader({2, 3}) + Bytes({1, 2, 3, 4, 5, 6});
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(ParseNpy(whole.substr(0, length)), StatusIs(StatusCode::kInvalidArgument))
        << length;
  }
}

// A flipped bit gives the same numbers of values, or an error; never a crash.
TEST(NpyFileTest, SurvivesFlippedBitsAndNoise) {
  const std::string whole = NpyHeader({2, 3}) + Bytes({1, 2, 3, 4, 5, 6});
  for (size_t bit = 0; bit < 8 * kNpyHeaderBytes; ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const auto array = ParseNpy(bytes);
    EXPECT_TRUE(!array.ok() || array->values.size() == 6) << bit;
  }
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = whole;
    for (int i = 0; i < 4; ++i) {
      bytes[6 + random() % (kNpyHeaderBytes - 6)] = static_cast<char>(random() % 128);
    }
    const auto array = ParseNpy(bytes);
    EXPECT_TRUE(!array.ok() || array->values.size() == 6) << round;
  }
}

// numpy.save() wrote the array [True, False, True].
TEST(NpyFileTest, ReadsARowOfTruthValues) {
  std::string bytes("\x93NUMPY\x01\x00\x76\x00", 10);
  bytes += "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }";
  bytes += std::string(60, ' ') + "\n" + std::string("\x01\x00\x01", 3);
  const auto truths = ParseNpyTruths(bytes);
  ASSERT_THAT(truths, IsOk());
  EXPECT_THAT(*truths, ElementsAre(true, false, true));
  EXPECT_THAT(ParseNpyTruths(bytes.substr(0, bytes.size() - 1)),
              StatusIs(StatusCode::kInvalidArgument));
  const auto floats = ParseNpyTruths(File(Shape("(1,)"), {1.0F}));
  EXPECT_THAT(std::string(MessageOf(floats.status())), HasSubstr("'|b1'"));
}

}  // namespace
}  // namespace facegate
