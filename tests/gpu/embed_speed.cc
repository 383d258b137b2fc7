#include "tests/gpu/embed_speed.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <filesystem>
#include <latch>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/coding.h"
#include "face/base/file.h"
#include "face/weights/safetensors.h"

namespace facegate {
namespace {

using Clock = std::chrono::steady_clock;

// What one caller has done.
struct Calls {
  Status status = OkStatus();
  std::vector<double> milliseconds{};
};

Calls CallUntil(Embedder& embedder, std::span<const AlignedFace> batch, Clock::time_point end) {
  constexpr size_t kLeast = 3;
  Calls calls;
  while (Clock::now() < end || calls.milliseconds.size() < kLeast) {
    const Clock::time_point started = Clock::now();
    calls.status = embedder.Embed(batch).status();
    if (!calls.status.ok()) break;
    const std::chrono::duration<double, std::milli> taken = Clock::now() - started;
    calls.milliseconds.push_back(taken.count());
  }
  return calls;
}

// `share` in 0..1 of the sorted values.
double Percentile(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1,
                         static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

}  // namespace

Status WriteModelAndFaces(Embedder& embedder, ModelFile model, std::span<const AlignedFace> faces,
                          const std::string& folder) {
  const std::filesystem::path path(folder);
  const auto count = static_cast<int64_t>(faces.size());
  Tensor crops{.dtype = DType::kU8, .shape = {count, 0, 0, 3}, .bytes = {}};
  for (const AlignedFace& face : faces) {
    crops.shape[1] = face.bgr.rows;
    crops.shape[2] = face.bgr.cols;
    for (int row = 0; row < face.bgr.rows; ++row) {
      crops.bytes.append(face.bgr.ptr<char>(row), 3 * static_cast<size_t>(face.bgr.cols));
    }
  }
  Tensor embeddings{.shape = {count, embedder.card().embedding_size}, .bytes = {}};
  FACEGATE_ASSIGN_OR_RETURN(const auto embedded, embedder.Embed(faces));
  for (const Embedding& embedding : embedded) {
    for (const float value : embedding.values()) {
      AppendLittleEndian(embeddings.bytes, std::bit_cast<uint32_t>(value));
    }
  }
  Safetensors file;
  file.tensors.emplace("crop", std::move(crops));
  file.tensors.emplace("embedding", std::move(embeddings));
  FACEGATE_RETURN_IF_ERROR(
      WriteFileAtomically((path / "faces.safetensors").string(), SerializeSafetensors(file)));
  return WriteModelFile((path / "model.safetensors").string(), std::move(model));
}

StatusOr<Speed> MeasureEmbedding(Embedder& embedder, std::span<const AlignedFace> faces,
                                 const Load& load) {
  const auto batch = faces.first(load.batch);
  std::vector<Calls> all(load.callers);
  std::latch warm(static_cast<std::ptrdiff_t>(load.callers) + 1);
  std::vector<std::jthread> callers;
  const auto length =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(load.seconds));
  for (Calls& calls : all) {
    callers.emplace_back([&] {
      const Status first = embedder.Embed(batch).status();
      warm.arrive_and_wait();
      calls = CallUntil(embedder, batch, Clock::now() + length);
      if (!first.ok()) calls.status = first;
    });
  }
  warm.arrive_and_wait();
  const Clock::time_point started = Clock::now();
  callers.clear();
  const double taken = std::chrono::duration<double>(Clock::now() - started).count();
  std::vector<double> times;
  for (const Calls& calls : all) {
    FACEGATE_RETURN_IF_ERROR(calls.status);
    times.insert(times.end(), calls.milliseconds.begin(), calls.milliseconds.end());
  }
  std::sort(times.begin(), times.end());
  return Speed{.faces_per_s = static_cast<double>(times.size() * load.batch) / taken,
               .p50_ms = Percentile(times, 0.5),
               .p99_ms = Percentile(times, 0.99),
               .calls = times.size()};
}

}  // namespace facegate
