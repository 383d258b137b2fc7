#include "trainer/align/manifest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace facegate {
namespace {

ManifestRow AlignedRow(size_t face, size_t faces) {
  ManifestRow row{.path = fmt::format("anna/1_{}.png", face),
                  .identity = "anna",
                  .source = "photos/anna/1.jpg",
                  .found = faces,
                  .face = face,
                  .faces = faces,
                  .quality = 0.5};
  row.at = DetectedFace{.box = {1, 2, 30, 40}, .landmarks = {}, .score = 0.75F};
  for (int i = 0; i < 5; ++i) {
    row.at->landmarks.emplace_back(static_cast<float>(i), static_cast<float>(i) + 0.25F);
  }
  return row;
}

TEST(ManifestTest, WritesARowForEachFace) {
  EXPECT_EQ(ManifestLine(AlignedRow(0, 1)),
            "\"anna/1_0.png\",\"anna\",aligned,\"photos/anna/1.jpg\",1,0,1,0.7500,0.5000,"
            "1.00,2.00,30.00,40.00,0.00,0.25,1.00,1.25,2.00,2.25,3.00,3.25,4.00,4.25,\"\"\n");
}

TEST(ManifestTest, QuotesTextsAndKeepsThemOnOneLine) {
  const ManifestRow row{.identity = "a",
                        .status = CutStatus::kUndecodable,
                        .source = "p/\"x\", y\n.jpg",
                        .reason = "no\tpicture"};
  EXPECT_EQ(ManifestLine(row),
            "\"\",\"a\",undecodable,\"p/\"\"x\"\", y .jpg\",0,0,1,,,,,,,,,,,,,,,,,"
            "\"no picture\"\n");
}

TEST(ManifestReaderTest, GivesTheRowsOfAPhotoTogether) {
  const std::string text = ManifestHeader() + ManifestLine(AlignedRow(0, 2)) +
                           ManifestLine(AlignedRow(1, 2)) + ManifestLine(AlignedRow(0, 1));
  ManifestReader reader(text);
  const auto two = reader.Next();
  ASSERT_TRUE(two.has_value());
  ASSERT_EQ(two->entries.size(), 2u);
  EXPECT_EQ(two->entries[1].path, "anna/1_1.png");
  const auto one = reader.Next();
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->end, text.size());
  EXPECT_FALSE(reader.Next().has_value());
}

// Wherever a text is cut off, the photos before are read and nothing else.
TEST(ManifestReaderTest, EndsWhereTheTextIsCutOff) {
  const std::string first = ManifestHeader() + ManifestLine(AlignedRow(0, 1));
  const std::string text = first + ManifestLine(AlignedRow(0, 2)) + ManifestLine(AlignedRow(1, 2));
  for (size_t size = 0; size < text.size(); ++size) {
    const std::string part = text.substr(0, size);
    ManifestReader reader(part);
    size_t photos = 0;
    while (reader.Next().has_value()) ++photos;
    EXPECT_EQ(photos, size < first.size() ? 0u : 1u) << size;
  }
}

TEST(ManifestReaderTest, EndsAtWhatIsNoRow) {
  for (const char* line :
       {"\n", "\"a\n", "a,b,c\n", "\"\",\"a\",lost,\"p\",0,0,1,,,,,,,,,,,,,,,,,\n",
        "\"\",\"a\",aligned,\"p\",0,0,1,,,,,,,,,,,,,,,,,\"\"\n",
        "\"\",\"a\",no-face,\"p\",0,7,1,,,,,,,,,,,,,,,,,\"\"\n"}) {
    const std::string text = ManifestHeader() + line;
    EXPECT_FALSE(ManifestReader(text).Next().has_value()) << line;
  }
  EXPECT_FALSE(ManifestReader("path,label\na,b\n").Next().has_value());
}

}  // namespace
}  // namespace facegate
