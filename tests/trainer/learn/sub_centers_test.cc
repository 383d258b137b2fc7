// A head with several centres learns from drawn embeddings of which some have a wrong label.
#include <gtest/gtest.h>
#include <torch/optim/sgd.h>

#include <set>

#include "face/base/random.h"
#include "tests/support/status_matchers.h"
#include "trainer/inspect/far_photos.h"
#include "trainer/learn/class_head.h"
#include "trainer/learn/losses.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr int64_t kPeople = 12;
constexpr int64_t kPhotosOfEach = 30;
constexpr int64_t kWide = 32;
constexpr int64_t kCenters = 3;
constexpr int kSteps = 120;
constexpr size_t kEveryWrong = 8;

// A direction for each person, and noise around it; every eighth photo lies under another name.
struct DrawnPhotos {
  Tensor embeddings = torch::empty({kPeople * kPhotosOfEach, kWide});
  Tensor labels = torch::empty({kPeople * kPhotosOfEach}, torch::kInt64);
  std::set<size_t> wrong{};

  DrawnPhotos() {
    for (int64_t i = 0; i < kPeople * kPhotosOfEach; ++i) {
      const int64_t person = i / kPhotosOfEach;
      RandomStream who(1, static_cast<uint64_t>(person));
      RandomStream noise(2, static_cast<uint64_t>(i));
      for (int64_t d = 0; d < kWide; ++d) embeddings[i][d] = who.Normal() + 0.6 * noise.Normal();
      const bool is_wrong = static_cast<size_t>(i) % kEveryWrong == 3;
      if (is_wrong) wrong.insert(static_cast<size_t>(i));
      const auto other = static_cast<int64_t>(noise.Below(kPeople - 1));
      labels[i] = is_wrong ? (person + 1 + other) % kPeople : person;
    }
  }
};

std::shared_ptr<ClassHead> Learned(const DrawnPhotos& photos) {
  auto head = ClassHead::Create({.classes = kPeople,
                                 .embedding_size = kWide,
                                 .sub_centers = kCenters,
                                 .margin = {.scale = 16.0, .margin = 0.3}});
  EXPECT_THAT(head, IsOk());
  torch::optim::SGD descent((*head)->parameters(), torch::optim::SGDOptions(0.5).momentum(0.9));
  for (int step = 0; step < kSteps; ++step) {
    descent.zero_grad();
    const HeadOutput output = (*head)->Forward(photos.embeddings, photos.labels, step, 1.0);
    torch::cross_entropy_loss(output.logits, output.labels).backward();
    descent.step();
  }
  return *head;
}

FarPhotos FarFrom(const ClassHead& head, const DrawnPhotos& photos) {
  const torch::NoGradGuard no_grad;
  const auto unit = [](const Tensor& rows) { return rows / rows.norm(2, 1, true); };
  const Tensor centers = unit(head.named_parameters()["weight"]).view({kPeople, kCenters, kWide});
  const Tensor own = centers.index_select(0, photos.labels);
  const Tensor cosines = own.matmul(unit(photos.embeddings).unsqueeze(2)).squeeze(2).contiguous();
  CenterCosines all{.centers = kCenters, .classes = kPeople};
  all.cosines.assign(cosines.data_ptr<float>(), cosines.data_ptr<float>() + cosines.numel());
  for (int64_t i = 0; i < photos.labels.size(0); ++i) {
    all.labels.push_back(static_cast<uint32_t>(photos.labels[i].item<int64_t>()));
  }
  all.trained = all.size();
  const auto far = FindFarPhotos(all, 75.0);
  EXPECT_THAT(far, IsOk());
  return far.value_or(FarPhotos{});
}

TEST(SubCentersTest, WrongLabelsAreFarFromTheDominantCentre) {
  const DrawnPhotos photos;
  const FarPhotos far = FarFrom(*Learned(photos), photos);
  size_t found = 0;
  for (const size_t photo : far.photos) found += photos.wrong.count(photo);
  EXPECT_GE(10 * found, 9 * photos.wrong.size()) << found << " of " << photos.wrong.size();
  EXPECT_LE(far.photos.size() - found, 3U) << "right ones, of " << photos.labels.size(0);
}

}  // namespace
}  // namespace facegate
