// facegate-train eval-templates on a set that is laid out as IJB-C is published.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "face/base/file.h"
#include "face/embed/torch/raw_embedder.h"
#include "face/image/align.h"
#include "face/weights/model_file.h"
#include "tests/support/photo_folder.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/train_cli.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using TemplatesJson = nlohmann::json;

// The faces of one template: a picture, and the medium that it is of.
struct ListedFace {
  std::string name;
  uint32_t picture = 0;
  uint32_t medium = 0;
  double detection = 1.0;
};

constexpr uint32_t kPeople = 4;
const cv::Point2f kCorner(20.0F, 31.0F);  // of the crop in a photo

class EvalTemplatesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(WriteRandomModel(model_), IsOk());
    for (uint32_t person = 0; person < kPeople; ++person) {
      // The second template has a picture of the first, and one of its own.
      Add(10 * person + 1, {person * 5, 1, 0.9});
      Add(10 * person + 1, {person * 5 + 1, 1, 0.5});
      Add(10 * person + 1, {person * 5 + 2, 2, 0.7});
      Add(10 * person + 2, {person * 5, 3, 0.8});
      Add(10 * person + 2, {person * 5 + 3, 4, 0.4});
    }
    WriteLists();
  }

  struct Face {
    uint32_t picture = 0;
    uint32_t medium = 0;
    double detection = 1.0;
  };
  void Add(uint32_t number, const Face& face) {
    cv::Mat photo(160, 150, CV_8UC3, cv::Scalar::all(0));
    SyntheticCrop(face.picture).copyTo(photo(cv::Rect(cv::Point(kCorner), cv::Size(112, 112))));
    const std::string name = fmt::format("{}.png", ++faces_);
    WriteBytes(set_ + "/loose_crop/" + name, Encode(photo, ".png"));
    templates_[number].push_back({name, face.picture, face.medium, face.detection});
  }

  void WriteLists() {
    std::string media;
    std::string marks;
    for (const auto& [number, faces] : templates_) {
      for (const ListedFace& face : faces) {
        media += fmt::format("{} {} {}\n", face.name, number, face.medium);
        marks += face.name;
        for (const cv::Point2f& point : TemplatePoints(AlignmentTemplate::kArcFace112)) {
          marks += fmt::format(" {} {}", point.x + kCorner.x, point.y + kCorner.y);
        }
        marks += fmt::format(" {}\n", face.detection);
      }
    }
    std::string pairs;
    std::string probes = "TEMPLATE_ID,SUBJECT_ID,FILENAME\n";
    std::array<std::string, 2> galleries = {probes, probes};
    for (uint32_t a = 0; a < kPeople; ++a) {
      for (uint32_t b = 0; b < kPeople; ++b) {
        pairs += fmt::format("{} {} {}\n", 10 * a + 1, 10 * b + 2, a == b ? 1 : 0);
      }
      galleries[a % 2] += fmt::format("{},{},x.jpg\n", 10 * a + 1, 100 + a);
      probes += fmt::format("{0},{1},x.jpg\n{0},{1},y.jpg\n", 10 * a + 2, 100 + a);
    }
    WriteBytes(set_ + "/meta/ijbc_face_tid_mid.txt", media);
    WriteBytes(set_ + "/meta/ijbc_name_5pts_score.txt", marks);
    WriteBytes(set_ + "/meta/ijbc_template_pair_label.txt", pairs);
    WriteBytes(set_ + "/meta/ijbc_1N_gallery_G1.csv", galleries[0]);
    WriteBytes(set_ + "/meta/ijbc_1N_gallery_G2.csv", galleries[1]);
    WriteBytes(set_ + "/meta/ijbc_1N_probe_mixed.csv", probes);
  }

  TrainExitCode Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "eval-templates");
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }
  TemplatesJson JsonOf(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--ijb", set_, "--json"});
    EXPECT_EQ(Run(arguments), TrainExitCode::kOk) << err_.str();
    return TemplatesJson::parse(out_.str(), nullptr, false);
  }

  const TempDir dir_;
  const std::string model_ = dir_.File("model.safetensors");
  const std::string set_ = dir_.File("IJBC");
  std::map<uint32_t, std::vector<ListedFace>> templates_;
  int faces_ = 0;
  std::ostringstream out_;
  std::ostringstream err_;
};

using Vector = std::vector<double>;

double Dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// The protocol, written down again.
class Reference {
 public:
  Reference(const std::string& model, bool mirror) {
    auto file = ReadModelFile(model);
    EXPECT_THAT(file, IsOk());
    file->card.preprocessing.mirror_average = mirror;
    auto embedder = MakeTorchRawEmbedder(*std::move(file), {.threads = 1, .run_canary = false});
    EXPECT_THAT(embedder, IsOk());
    embedder_ = *std::move(embedder);
  }

  Vector Template(const std::vector<ListedFace>& faces, bool length, bool detection) {
    std::map<uint32_t, std::vector<Vector>> media;
    for (const ListedFace& face : faces) {
      const std::vector<AlignedFace> crop = {{.bgr = SyntheticCrop(face.picture)}};
      const auto raw = embedder_->EmbedRaw(crop);
      EXPECT_THAT(raw, IsOk());
      Vector vector(raw->begin(), raw->end());
      const double own = std::sqrt(Dot(vector, vector));
      for (double& value : vector) {
        value *= (length ? 1.0 : 1.0 / own) * (detection ? face.detection : 1.0);
      }
      media[face.medium].push_back(std::move(vector));
    }
    Vector sum(128, 0.0);
    for (const auto& [medium, vectors] : media) {
      for (const Vector& vector : vectors) {
        for (size_t i = 0; i < sum.size(); ++i) {
          sum[i] += vector[i] / static_cast<double>(vectors.size());
        }
      }
    }
    const double own = std::sqrt(Dot(sum, sum));
    for (double& value : sum) value /= own;
    return sum;
  }

 private:
  std::unique_ptr<RawEmbedder> embedder_;
};

TEST_F(EvalTemplatesTest, AgreesWithTheProtocolWrittenDownAgain) {
  struct Case {
    std::string mirror;
    std::string weights;
    bool length, detection;
  };
  for (const Case& one :
       {Case{"sum", "length,detection", true, true}, Case{"none", "none", false, false}}) {
    Reference reference(model_, one.mirror == "sum");
    std::map<uint32_t, Vector> made;
    for (const auto& [number, faces] : templates_) {
      made[number] = reference.Template(faces, one.length, one.detection);
    }
    Vector genuine;
    Vector impostor;
    for (uint32_t a = 0; a < kPeople; ++a) {
      for (uint32_t b = 0; b < kPeople; ++b) {
        (a == b ? genuine : impostor).push_back(Dot(made[10 * a + 1], made[10 * b + 2]));
      }
    }
    std::sort(impostor.begin(), impostor.end(), std::greater<>());
    const TemplatesJson json =
        JsonOf({model_, "--mirror", one.mirror, "--weigh-by", one.weights, "--far", "0,0.1,0.5"});
    EXPECT_EQ(json["faces"], 20);
    EXPECT_EQ(json["templates"], 8);
    EXPECT_EQ(json["genuine_pairs"], 4);
    EXPECT_EQ(json["impostor_pairs"], 12);
    for (const auto& [far, place] : {std::pair<size_t, size_t>{0, 0}, {1, 1}, {2, 6}}) {
      const TemplatesJson& at = json["tar_at_far"][far];
      EXPECT_NEAR(at["threshold"], impostor[place], 1e-5) << one.weights << place;
      const auto above = std::count_if(genuine.begin(), genuine.end(),
                                       [&](double score) { return score > impostor[place]; });
      EXPECT_NEAR(at["tar"]["value"], static_cast<double>(above) / 4.0, 1e-9);
    }
  }
}

// A picture is in both templates of each person, and pictures of others differ.
TEST_F(EvalTemplatesTest, SearchesBothGalleries) {
  const TemplatesJson json = JsonOf({model_});
  ASSERT_EQ(json["galleries"].size(), 2U);
  EXPECT_EQ(json["galleries"][0]["name"], "G1");
  EXPECT_EQ(json["galleries"][0]["people"], 2);
  EXPECT_EQ(json["galleries"][0]["probes"], 2);
  EXPECT_EQ(json["galleries"][1]["strangers"], 2);
  EXPECT_EQ(json["galleries"][1]["tpir_at_fpir"].size(), 2U);
  EXPECT_EQ(json["together"]["people"], 4);
  EXPECT_EQ(json["together"]["strangers"], 0);
  // Of either gallery, and of both, as many are found as the searches of each say.
  const auto hits = [](const TemplatesJson& gallery) -> double {
    return gallery["rank_1"]["value"].get<double>() * gallery["probes"].get<double>();
  };
  EXPECT_NEAR(json["pooled"]["rank_1"]["value"],
              (hits(json["galleries"][0]) + hits(json["galleries"][1])) / 4.0, 1e-9);
}

TEST_F(EvalTemplatesTest, MeasuresSavedVectorsAgainWithoutTheModel) {
  const std::string npy = dir_.File("v.npy");
  const TemplatesJson first = JsonOf({model_, "--save", npy});
  EXPECT_EQ(Run({model_, "--ijb", set_, "--save", npy}), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("--force"));
  const TemplatesJson unweighed = JsonOf({model_, "--weigh-by", "none"});
  std::filesystem::remove(model_);
  std::filesystem::remove_all(set_ + "/loose_crop");
  EXPECT_EQ(JsonOf({"--embeddings", npy, "--order", dir_.File("v.names.txt")}), first);
  const TemplatesJson again =
      JsonOf({"--embeddings", npy, "--order", dir_.File("v.names.txt"), "--weigh-by", "none"});
  const auto threshold = [](const TemplatesJson& json) -> double {
    return json["tar_at_far"][5]["threshold"].get<double>();
  };
  EXPECT_NEAR(threshold(again), threshold(unweighed), 1e-5);
  EXPECT_GT(std::abs(threshold(again) - threshold(first)), 1e-4);
}

TEST_F(EvalTemplatesTest, PrintsATableAndAPage) {
  ASSERT_EQ(Run({model_, "--ijb", set_, "--report", dir_.File("page.html")}), TrainExitCode::kOk)
      << err_.str();
  EXPECT_THAT(out_.str(),
              AllOf(HasSubstr("20 in 8 templates"), HasSubstr("TAR@FAR 1e-06"),
                    HasSubstr("NOT MEASURED: 12 impostor pairs"), HasSubstr("gallery G1"),
                    HasSubstr("searches of each gallery"), HasSubstr("gallery G1 and G2")));
  const auto page = ReadFile(dir_.File("page.html"), 1 << 28);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(*page, AllOf(HasSubstr("<svg"), HasSubstr("gallery G2")));
}

TEST_F(EvalTemplatesTest, FacesThatAreMissingAreNamedOrLeftOut) {
  // All of template 1, and one face of template 2.
  for (const ListedFace& face : templates_[1]) {
    std::filesystem::remove(set_ + "/loose_crop/" + face.name);
  }
  WriteBytes(set_ + "/loose_crop/" + templates_[2][0].name, "no picture");
  EXPECT_EQ(Run({model_, "--ijb", set_}), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("3 of 20"), HasSubstr(templates_[1][0].name),
                                HasSubstr("--skip-missing")));
  const TemplatesJson json = JsonOf({model_, "--skip-missing"});
  EXPECT_EQ(json["left_out"], 4);
  EXPECT_EQ(json["without_face"], 1);
  ASSERT_EQ(json["remarks"].size(), 4U);
  EXPECT_THAT(std::string(json["remarks"][0]), HasSubstr("loose_crop/" + templates_[1][0].name));
  EXPECT_EQ(json["remarks"][3], "left out: 1 face more");
}

TEST_F(EvalTemplatesTest, NamesAFaceThatCannotBeRead) {
  WriteBytes(set_ + "/loose_crop/" + templates_[2][0].name, "no picture");
  EXPECT_EQ(Run({model_, "--ijb", set_}), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("loose_crop/" + templates_[2][0].name));
}

TEST_F(EvalTemplatesTest, WithoutAnyFaceItFailsWithTheFirstReasons) {
  for (const auto& [number, faces] : templates_) {
    for (const ListedFace& face : faces)
      WriteBytes(set_ + "/loose_crop/" + face.name, "no picture");
  }
  EXPECT_EQ(Run({model_, "--ijb", set_, "--skip-missing"}), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("none of 20 faces can be used"),
                                HasSubstr("loose_crop/" + templates_[1][0].name)));
}

TEST_F(EvalTemplatesTest, VectorsThatCannotBeUsedAreLeftOut) {
  const std::string npy = dir_.File("v.npy");
  const std::string names = dir_.File("v.names.txt");
  JsonOf({model_, "--save", npy});
  std::string bytes = ReadFile(npy, 1 << 20).value();
  std::fill(bytes.end() - 128 * sizeof(float), bytes.end(), '\0');
  WriteBytes(npy, bytes);
  EXPECT_EQ(Run({"--embeddings", npy, "--order", names, "--ijb", set_}), TrainExitCode::kFailed);
  EXPECT_EQ(JsonOf({"--embeddings", npy, "--order", names, "--skip-missing"})["left_out"], 1);
}

TEST_F(EvalTemplatesTest, RefusesATemplateOfWhichNoFaceCountsBeforeTheWork) {
  for (ListedFace& face : templates_[12]) face.detection = 0.0;
  WriteLists();
  std::filesystem::remove_all(set_ + "/loose_crop");
  EXPECT_EQ(Run({model_, "--ijb", set_}), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("template 12: the detector's score is 0"));
}

TEST_F(EvalTemplatesTest, ATemplateOfWhichNoFaceCountsMayBeLeftOut) {
  for (ListedFace& face : templates_[12]) face.detection = 0.0;
  WriteLists();
  const TemplatesJson json = JsonOf({model_, "--skip-missing"});
  EXPECT_EQ(json["without_face"], 1);
  EXPECT_EQ(json["left_out"], 0);
  for (auto& [number, faces] : templates_) {
    for (ListedFace& face : faces) face.detection = 0.0;
  }
  WriteLists();
  EXPECT_EQ(Run({model_, "--ijb", set_, "--skip-missing"}), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("the detector's score is 0 for all faces"));
}

TEST_F(EvalTemplatesTest, TellsOfAnUnfinishedFileOfAnotherCall) {
  const std::string npy = dir_.File("v.npy");
  WriteBytes(npy + ".partial", "rows");
  WriteBytes(npy + ".partial.log", "another call\n");
  EXPECT_THAT(JsonOf({model_, "--save", npy})["remarks"].dump(),
              HasSubstr("was moved to " + npy + ".partial.aside"));
}

// What stands behind the text is the model.
TEST_F(EvalTemplatesTest, ItsListsTakeOneTextEach) {
  for (const char* const option : {"--far", "--fpir"}) {
    EXPECT_EQ(Run({option, "0.1,0.2", model_, "--ijb", set_}), TrainExitCode::kOk) << err_.str();
  }
  EXPECT_EQ(Run({"--weigh-by", "none", model_, "--ijb", set_}), TrainExitCode::kOk) << err_.str();
}

TEST_F(EvalTemplatesTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(Run({"--ijb", set_}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({model_, "--ijb", set_, "--target", "IJBA"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({model_, "--ijb", set_, "--weigh-by", "none,length"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({model_, "--ijb", set_, "--far", "1"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({model_, "--ijb", set_, "--embeddings", "x.npy"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({model_, "--ijb", set_, "--save", "x.bin"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({model_, "--ijb", set_, "--force"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({"--embeddings", "x.npy", "--order", "x", "--ijb", set_, "--mirror", "none"}),
            TrainExitCode::kUsage);
  EXPECT_EQ(Run({model_, "--ijb", dir_.File("absent")}), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("absent/meta/ijbc_"));
}

}  // namespace
}  // namespace facegate
