#include "trainer/run/teacher.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <utility>

#include "face/base/catch.h"
#include "face/embed/shared_passes.h"
#include "face/network/description_json.h"
#include "face/torch/frozen_network.h"
#include "face/torch/loaded_backbone.h"
#include "face/weights/model_file.h"

namespace facegate {
namespace {

// Larger passes leave the caches.
constexpr size_t kRows = 4;

// Fills the sides of a narrow crop, as a network input; nothing where the crop is the input.
struct Border {
  int columns = 0;  // on each side
  std::array<float, 3> grey{};
};

StatusOr<Border> BorderOf(const Preprocessing& teacher, const Preprocessing& student) {
  const bool alike = teacher.colour_order == student.colour_order && teacher.mean == student.mean &&
                     teacher.scale == student.scale && teacher.input_width == student.input_width &&
                     teacher.input_height == student.input_height;
  if (!alike) {
    return InvalidArgument(
        "the teacher takes other colours, numbers or sizes than the student's input");
  }
  const bool same_columns =
      teacher.letterbox == student.letterbox && teacher.letterbox_grey == student.letterbox_grey;
  if (student.alignment != AlignmentTemplate::kArcFace112) {
    if (teacher.alignment == student.alignment && same_columns) return Border{};
    return InvalidArgument("the teacher takes other crops than the student");
  }
  if (teacher.alignment == AlignmentTemplate::kArcFace112) return Border{};
  const cv::Size crop = CropSize(teacher.alignment);
  if (!teacher.letterbox || crop.height != teacher.input_height) {
    return InvalidArgument("the teacher's crop is neither its input nor put between grey columns");
  }
  Border border{.columns = (teacher.input_width - crop.width) / 2, .grey = {}};
  for (size_t c = 0; c < border.grey.size(); ++c) {
    border.grey[c] =
        (static_cast<float>(teacher.letterbox_grey) - teacher.mean[c]) * teacher.scale[c];
  }
  return border;
}

class FrozenTeacher final : public Teacher {
 public:
  FrozenTeacher(const ModelCard& card, const Border& border, std::unique_ptr<FrozenNetwork> network,
                int threads)
      : input_(card.preprocessing),
        embedding_size_(card.embedding_size),
        digest_(card.model_digest + " " + card.preprocessing_digest),
        description_(fmt::format("{}, model digest {}, trained on: {}; licence: {}; from {}",
                                 card.architecture, card.model_digest, card.training_data,
                                 card.licence, card.origin)),
        border_(border),
        network_(std::move(network)),
        passes_(threads - 1) {}

  // Learns the sizes of its maps from one picture.
  Status Begin() {
    const std::vector<float> picture(input_.input_floats());
    FACEGATE_ASSIGN_OR_RETURN(const auto outputs, RunRows(picture));
    for (size_t i = 1; i < outputs.size(); ++i) {
      const auto sizes = outputs[i].sizes();
      map_shapes_.emplace_back(sizes.begin() + 1, sizes.end());
      map_sizes_.push_back(static_cast<size_t>(outputs[i].numel()));
    }
    return OkStatus();
  }

  int embedding_size() const override { return embedding_size_; }
  std::string digest() const override { return digest_; }
  std::string description() const override { return description_; }
  const std::vector<std::vector<int64_t>>& map_shapes() const override { return map_shapes_; }

  StatusOr<Lesson> Teach(std::span<const float> pixels, size_t count) override {
    const size_t floats = input_.input_floats();
    if (pixels.size() != count * floats) {
      return InvalidArgument(fmt::format("{} numbers for {} pictures", pixels.size(), count));
    }
    Lesson lesson;
    lesson.embeddings.resize(count * static_cast<size_t>(embedding_size_));
    for (const size_t size : map_sizes_) lesson.maps.emplace_back(count * size);
    // The passes set the number of threads, which belongs to this thread.
    const int threads = at::get_num_threads();
    const Status status = passes_.Run((count + kRows - 1) / kRows, [&](size_t pass) {
      const size_t begin = pass * kRows;
      const size_t rows = std::min(kRows, count - begin);
      return CatchToStatus("the teacher", [&] {
        return TeachRows(pixels.subspan(begin * floats, rows * floats), begin, lesson);
      });
    });
    at::set_num_threads(threads);
    FACEGATE_RETURN_IF_ERROR(status);
    return lesson;
  }

 private:
  StatusOr<std::vector<torch::Tensor>> RunRows(std::span<const float> pixels) const {
    const auto rows = static_cast<int64_t>(pixels.size() / input_.input_floats());
    const int64_t channels = input_.channels();
    torch::Tensor input = torch::empty({rows, channels, input_.input_height, input_.input_width});
    std::copy(pixels.begin(), pixels.end(), input.data_ptr<float>());
    for (int64_t c = 0; border_.columns > 0 && c < channels; ++c) {
      const torch::Tensor plane = input.select(1, c);
      const float grey = border_.grey[static_cast<size_t>(c)];
      plane.narrow(2, 0, border_.columns).fill_(grey);
      plane.narrow(2, input_.input_width - border_.columns, border_.columns).fill_(grey);
    }
    return network_->RunAll(input, 1);
  }

  // Puts what it says of some pictures, the first of them the `begin`-th of its batch, into
  // `lesson`.
  Status TeachRows(std::span<const float> pixels, size_t begin, Lesson& lesson) const {
    const size_t rows = pixels.size() / input_.input_floats();
    FACEGATE_ASSIGN_OR_RETURN(const auto outputs, RunRows(pixels));
    FACEGATE_RETURN_IF_ERROR(
        Put(outputs[0], static_cast<size_t>(embedding_size_), begin, rows, lesson.embeddings));
    for (size_t i = 0; i < map_sizes_.size(); ++i) {
      FACEGATE_RETURN_IF_ERROR(Put(outputs.at(i + 1), map_sizes_[i], begin, rows, lesson.maps[i]));
    }
    return OkStatus();
  }

  static Status Put(const torch::Tensor& output, size_t size, size_t begin, size_t rows,
                    std::span<float> out) {
    if (output.numel() != static_cast<int64_t>(rows * size)) {
      return Internal(
          fmt::format("the teacher gave {} numbers, expected {}", output.numel(), rows * size));
    }
    std::copy_n(output.data_ptr<float>(), rows * size, out.subspan(begin * size).begin());
    return OkStatus();
  }

  const Preprocessing input_;
  const int embedding_size_;
  const std::string digest_;
  const std::string description_;
  const Border border_;
  const std::unique_ptr<FrozenNetwork> network_;
  std::vector<std::vector<int64_t>> map_shapes_;
  std::vector<size_t> map_sizes_;  // their numbers
  SharedPasses passes_;
};

}  // namespace

StatusOr<std::unique_ptr<Teacher>> OpenTeacher(const std::string& path,
                                               const Preprocessing& student, bool with_maps,
                                               int threads) {
  FACEGATE_ASSIGN_OR_RETURN(const ModelFile file, ReadModelFile(path));
  return CatchToStatus(path, [&]() -> StatusOr<std::unique_ptr<Teacher>> {
    FACEGATE_ASSIGN_OR_RETURN(const Border border, BorderOf(file.card.preprocessing, student));
    FACEGATE_ASSIGN_OR_RETURN(const network::Description description, NetworkOf(file.card));
    FACEGATE_ASSIGN_OR_RETURN(const auto backbone, LoadBackbone(description, file.tensors));
    const int own_threads = at::get_num_threads();
    auto network = FrozenNetwork::Create(*backbone, torch::kCPU, with_maps);
    if (!network.ok()) {
      at::set_num_threads(own_threads);
      return network.status();
    }
    auto teacher = std::make_unique<FrozenTeacher>(file.card, border, *std::move(network), threads);
    const Status status = teacher->Begin();
    at::set_num_threads(own_threads);
    FACEGATE_RETURN_IF_ERROR(status);
    return teacher;
  });
}

}  // namespace facegate
