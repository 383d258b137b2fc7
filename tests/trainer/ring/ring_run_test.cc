#include "trainer/ring/ring_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <opencv2/imgcodecs.hpp>
#include <sstream>
#include <utility>

#include "tensorboard/graph.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/report/event_reader.h"
#include "tests/trainer/ring/square_digits.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Two epochs on squares, side by side.
class RingRunTest : public ::testing::Test {
 protected:
  RingRunTest() {
    WriteDigits(Squares(400, 1), 400, "train", dir_.path().string());
    WriteDigits(Squares(100, 2), 100, "t10k", dir_.path().string());
    options_.mnist = dir_.path().string();
    options_.out = dir_.File("ring.png");
    options_.training.epochs = 2;
  }
  StatusOr<RingRunReport> Run() {
    const Session session({.out = out_, .progress = out_, .threads = 2});
    return DrawRings(options_, session);
  }

  TempDir dir_;
  RingRunOptions options_;

 private:
  std::ostringstream out_;
};

TEST_F(RingRunTest, DrawsThePlaneAfterEachEpochForTensorBoard) {
  options_.events = dir_.File("new/events");
  ASSERT_THAT(Run(), IsOk());
  const std::vector<std::string> files = EventFilesOf(options_.events);
  ASSERT_EQ(files.size(), 1U);
  std::map<std::string, std::vector<int64_t>> epochs;
  for (const tensorboard::Event& event : ReadEvents(files[0])) {
    for (const tensorboard::Summary::Value& value : event.summary().value()) {
      epochs[value.tag()].push_back(event.step());
      const std::string& png = value.image().encoded_image_string();
      const std::vector<unsigned char> bytes(png.begin(), png.end());
      EXPECT_EQ(cv::imdecode(bytes, cv::IMREAD_UNCHANGED).cols, 800);
    }
  }
  EXPECT_THAT(epochs, ElementsAre(std::pair("plane/arcface", std::vector<int64_t>{1, 2}),
                                  std::pair("plane/softmax", std::vector<int64_t>{1, 2})));
}

TEST_F(RingRunTest, GivesTensorBoardTheGraphOfItsNetwork) {
  options_.events = dir_.File("events");
  ASSERT_THAT(Run(), IsOk());
  std::vector<std::string> nodes;
  for (const tensorboard::Event& event : ReadEvents(EventFilesOf(options_.events).at(0))) {
    if (event.graph_def().empty()) continue;
    tensorboard::GraphDef graph;
    ASSERT_TRUE(graph.ParseFromString(event.graph_def()));
    for (const tensorboard::NodeDef& node : graph.node()) nodes.push_back(node.name());
  }
  EXPECT_THAT(
      nodes, ElementsAre("input", "conv1/conv", "conv1/bn", "conv1/prelu", "conv2/conv", "conv2/bn",
                         "conv2/prelu", "conv3/conv", "conv3/bn", "conv3/prelu", "conv4/conv",
                         "conv4/bn", "conv4/prelu", "flatten", "fc1", "bn1", "prelu1", "fc2"));
}

TEST_F(RingRunTest, WritesNoEventsWhereNoneAreAskedFor) {
  ASSERT_THAT(Run(), IsOk());
  EXPECT_THAT(EventFilesOf(dir_.path()), IsEmpty());
}

}  // namespace
}  // namespace facegate
