#include "trainer/inspect/label_noise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/core.hpp>
#include <utility>

namespace facegate {
namespace {

constexpr size_t kBlock = 256;            // rows that are compared at once
constexpr size_t kLeastForHalves = 4;     // photos of an identity that is halved
constexpr size_t kLeastForGroups = 6;     // and of one that is searched for two people
constexpr double kLeastGroup = 0.2;       // the share of the smaller group
constexpr int kRounds = 8;                // of making groups
constexpr size_t kMostSampled = 1 << 20;  // cosines that a limit is taken from
constexpr double kUnitTolerance = 1e-2;

using Vector = std::vector<double>;

double Dot(std::span<const float> row, const Vector& centre) {
  return std::inner_product(row.begin(), row.end(), centre.begin(), 0.0);
}

double LengthOf(const Vector& vector) {
  return std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
}

double CosineOf(const Vector& a, const Vector& b) {
  const double lengths = LengthOf(a) * LengthOf(b);
  if (lengths == 0.0) return 0.0;
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0) / lengths;
}

void AddTo(Vector& sum, std::span<const float> row) {
  for (size_t i = 0; i < row.size(); ++i) sum[i] += row[i];
}

// The value below which that share of `values` lies; they are put into another order.
double Quantile(std::vector<double>& values, double share) {
  const auto place = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(place), values.end());
  return values[place];
}

class NoiseFinder {
 public:
  NoiseFinder(const LabelledEmbeddings& embeddings, const std::function<void()>& advance)
      : set_(embeddings), advance_(advance), of_(embeddings.identities) {
    for (size_t i = 0; i < set_.size(); ++i) of_[set_.labels[i]].push_back(i);
    doubted_.assign(set_.size(), false);
  }

  LabelNoise Find() {
    // The first pass finds what would pull the centres of the second away.
    for (const bool last : {false, true}) {
      FindCentres();
      Compare();
      noise_.foreign_limit = ForeignLimit();
      Doubt(last);
    }
    FindAlike();
    FindMixed();
    return std::move(noise_);
  }

 private:
  // The nearest foreign centre of a photo, and what it has to its own.
  struct Place {
    double own = 0.0;
    double other = -1.0;
    uint32_t nearest = 0;
  };

  void FindCentres() {
    sums_.assign(set_.identities, Vector(set_.width, 0.0));
    kept_.assign(set_.identities, 0);
    for (size_t i = 0; i < set_.size(); ++i) {
      if (doubted_[i]) continue;
      AddTo(sums_[set_.labels[i]], set_.row(i));
      ++kept_[set_.labels[i]];
    }
    // Such an identity has no centre for others, but its photos are compared with one another.
    for (size_t c = 0; c < set_.identities; ++c) {
      if (kept_[c] == 0) sums_[c] = SumOf(of_[c]);
    }
  }

  // The cosine of a photo to the centre of the others of its identity, as far as those are not
  // doubted; to that of all others where all are.
  double OwnCosine(size_t i) const {
    const size_t identity = set_.labels[i];
    // One that is alone is not doubted.
    if (of_[identity].size() == 1) return 1.0;
    const bool is_last = kept_[identity] == 1 && !doubted_[i];
    Vector rest = is_last ? SumOf(of_[identity]) : sums_[identity];
    if (!doubted_[i] || kept_[identity] == 0) {
      const std::span<const float> row = set_.row(i);
      for (size_t d = 0; d < row.size(); ++d) rest[d] -= row[d];
    }
    const double length = LengthOf(rest);
    return length < 1e-6 ? 0.0 : Dot(set_.row(i), rest) / length;
  }

  // The centres as rows of unit length.
  cv::Mat Centres() const {
    cv::Mat centres(static_cast<int>(set_.identities), static_cast<int>(set_.width), CV_32F);
    for (size_t c = 0; c < set_.identities; ++c) {
      const double length = LengthOf(sums_[c]);
      auto* const row = centres.ptr<float>(static_cast<int>(c));
      for (size_t d = 0; d < set_.width; ++d) {
        row[d] = length == 0.0 ? 0.0F : static_cast<float>(sums_[c][d] / length);
      }
    }
    return centres;
  }

  void Compare() {
    const cv::Mat centres = Centres();
    places_.assign(set_.size(), {});
    foreign_.clear();
    for (size_t begin = 0; begin < set_.size(); begin += kBlock) {
      const size_t count = std::min(kBlock, set_.size() - begin);
      // OpenCV has no word for a matrix that is not changed.
      const cv::Mat rows(static_cast<int>(count), static_cast<int>(set_.width), CV_32F,
                         const_cast<float*>(set_.row(begin).data()));
      cv::Mat cosines;
      cv::gemm(rows, centres, 1.0, cv::noArray(), 0.0, cosines, cv::GEMM_2_T);
      for (size_t i = 0; i < count; ++i) {
        Look(begin + i, cosines.ptr<float>(static_cast<int>(i)));
        if (advance_) advance_();
      }
    }
  }

  void Look(size_t photo, const float* cosines) {
    Place& place = places_[photo];
    place.own = OwnCosine(photo);
    const size_t step =
        std::max<size_t>(1, set_.size() * set_.identities / kMostSampled);  // of the sample
    for (size_t c = 0; c < set_.identities; ++c) {
      if (c == set_.labels[photo] || kept_[c] == 0) continue;
      if ((photo * set_.identities + c) % step == 0) foreign_.push_back(cosines[c]);
      if (cosines[c] <= place.other) continue;
      place.other = cosines[c];
      place.nearest = static_cast<uint32_t>(c);
    }
  }

  double ForeignLimit() { return foreign_.empty() ? -1.0 : Quantile(foreign_, 0.99); }

  void Doubt(bool last) {
    for (size_t i = 0; i < set_.size(); ++i) {
      const Place& place = places_[i];
      const bool nearer = place.other > place.own;
      doubted_[i] = nearer || place.own < noise_.foreign_limit;
      if (!last || !doubted_[i]) continue;
      noise_.doubted.push_back({.photo = i,
                                .nearest = place.nearest,
                                .own = place.own,
                                .other = place.other,
                                .nearer = nearer});
    }
    std::stable_sort(noise_.doubted.begin(), noise_.doubted.end(),
                     [](const DoubtedLabel& a, const DoubtedLabel& b) {
                       return a.own - a.other < b.own - b.other;
                     });
  }

  std::vector<size_t> KeptOf(size_t identity) const {
    std::vector<size_t> kept;
    std::copy_if(of_[identity].begin(), of_[identity].end(), std::back_inserter(kept),
                 [this](size_t i) { return !doubted_[i]; });
    return kept;
  }

  Vector SumOf(std::span<const size_t> photos) const {
    Vector sum(set_.width, 0.0);
    for (const size_t i : photos) AddTo(sum, set_.row(i));
    return sum;
  }

  // Two halves of one identity say how alike two sets of photos of a person are.
  void FindAlike() {
    std::vector<double> halves;
    for (size_t c = 0; c < set_.identities; ++c) {
      const std::vector<size_t> kept = KeptOf(c);
      if (kept.size() < kLeastForHalves) continue;
      std::vector<size_t> even;
      std::vector<size_t> odd;
      for (size_t i = 0; i < kept.size(); ++i) (i % 2 == 0 ? even : odd).push_back(kept[i]);
      halves.push_back(CosineOf(SumOf(even), SumOf(odd)));
    }
    FindCentres();
    if (halves.size() < 2) return;
    noise_.alike_limit = std::max(Quantile(halves, 0.05), noise_.foreign_limit);
    const cv::Mat centres = Centres();
    for (size_t begin = 0; begin < set_.identities; begin += kBlock) {
      const size_t end = std::min(begin + kBlock, set_.identities);
      cv::Mat cosines;
      cv::gemm(centres.rowRange(static_cast<int>(begin), static_cast<int>(end)), centres, 1.0,
               cv::noArray(), 0.0, cosines, cv::GEMM_2_T);
      for (size_t a = begin; a < end; ++a) {
        LookForAlike(a, cosines.ptr<float>(static_cast<int>(a - begin)));
      }
    }
    KeepMostAlike();
  }

  void LookForAlike(size_t a, const float* cosines) {
    for (size_t b = a + 1; b < set_.identities; ++b) {
      if (kept_[a] == 0 || kept_[b] == 0 || cosines[b] < noise_.alike_limit) continue;
      noise_.alike.push_back({.first = static_cast<uint32_t>(a),
                              .second = static_cast<uint32_t>(b),
                              .cosine = cosines[b]});
    }
    if (noise_.alike.size() > 2 * LabelNoise::kMostAlike) KeepMostAlike();
  }

  void KeepMostAlike() {
    std::stable_sort(
        noise_.alike.begin(), noise_.alike.end(),
        [](const AlikeIdentities& a, const AlikeIdentities& b) { return a.cosine > b.cosine; });
    if (noise_.alike.size() > LabelNoise::kMostAlike) noise_.alike.resize(LabelNoise::kMostAlike);
  }

  // Groups of two people lie as far apart as foreign photos do.
  void FindMixed() {
    for (size_t c = 0; c < set_.identities; ++c) {
      if (of_[c].size() < kLeastForGroups) continue;
      std::vector<size_t> smaller;
      const double cosine = Halve(of_[c], smaller);
      const auto least =
          static_cast<size_t>(std::ceil(kLeastGroup * static_cast<double>(of_[c].size())));
      if (smaller.size() < least || cosine >= noise_.foreign_limit) continue;
      noise_.mixed.push_back(
          {.identity = static_cast<uint32_t>(c), .cosine = cosine, .smaller = std::move(smaller)});
    }
  }

  // Makes two groups of photos by the nearer of two centres, which begin with the photo that is
  // farthest from the middle, and with the one farthest from that. Gives the cosine of the centres.
  double Halve(const std::vector<size_t>& photos, std::vector<size_t>& smaller) const {
    const auto farthest = [&](const Vector& from) {
      return *std::min_element(photos.begin(), photos.end(), [&](size_t a, size_t b) {
        return Dot(set_.row(a), from) < Dot(set_.row(b), from);
      });
    };
    const auto one = [&](size_t photo) {
      const std::span<const float> row = set_.row(photo);
      return Vector(row.begin(), row.end());
    };
    Vector first = one(farthest(SumOf(photos)));
    Vector second = one(farthest(first));
    std::vector<size_t> near_first;
    std::vector<size_t> near_second;
    for (int round = 0; round < kRounds; ++round) {
      near_first.clear();
      near_second.clear();
      const double first_length = std::max(LengthOf(first), 1e-12);
      const double second_length = std::max(LengthOf(second), 1e-12);
      for (const size_t i : photos) {
        const bool to_first =
            Dot(set_.row(i), first) / first_length >= Dot(set_.row(i), second) / second_length;
        (to_first ? near_first : near_second).push_back(i);
      }
      if (near_first.empty() || near_second.empty()) return 1.0;
      first = SumOf(near_first);
      second = SumOf(near_second);
    }
    smaller = near_first.size() < near_second.size() ? near_first : near_second;
    return CosineOf(first, second);
  }

  const LabelledEmbeddings& set_;
  const std::function<void()>& advance_;
  std::vector<std::vector<size_t>> of_;  // photos of each identity
  std::vector<bool> doubted_;            // by photo
  std::vector<Vector> sums_;             // of the photos of each identity that are not doubted
  std::vector<size_t> kept_;             // how many those are
  std::vector<Place> places_;            // by photo
  std::vector<double> foreign_;          // a sample of cosines to foreign centres
  LabelNoise noise_;
};

}  // namespace

StatusOr<LabelNoise> FindLabelNoise(const LabelledEmbeddings& embeddings,
                                    const std::function<void()>& advance) {
  if (embeddings.identities < 2) {
    return InvalidArgument("labels can be doubted where there are two identities or more");
  }
  for (size_t i = 0; i < embeddings.size(); ++i) {
    const std::span<const float> row = embeddings.row(i);
    const double square = std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
    if (!(std::abs(square - 1.0) < kUnitTolerance)) {
      return InvalidArgument(fmt::format("embedding {} is not of length 1", i));
    }
  }
  return NoiseFinder(embeddings, advance).Find();
}

}  // namespace facegate
