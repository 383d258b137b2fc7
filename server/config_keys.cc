#include "server/config_keys.h"

namespace facegate {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kTiB = int64_t{1} << 40;

}  // namespace

KeyTable ConfigKeys(Config& c) {
  return {
      {"listen", &c.listen,
       "The address to serve on, host:port. Port 0 lets the system choose one."},
      {"port_file", &c.port_file,
       "A file that the port is written to once the server is ready; removed on a clean stop. "
       "Meant for port 0."},
      {"insecure", &c.insecure,
       "Allow an address that other machines can reach. The connection is not encrypted in this "
       "version: photos and embeddings are sent in plain text."},
      {"data_dir", &c.data_dir, Example("/var/lib/facegate"),
       "The data directory; created if it does not exist. Templates in it are not encrypted in "
       "this version. Required."},
      {"model", &c.model, Example("/etc/facegate/model.safetensors"),
       "The model file, NAME.safetensors with a model card (facegate-train import makes one). "
       "Required."},
      {"device", &c.device,
       "Where the model runs: cpu; cuda:N, the card of that number; or auto, the first card that "
       "can be used, and the CPU where there is none."},
      {"precision", &c.precision, OneOf({"auto", "fp32", "tf32", "fp16", "bf16"}),
       "How finely a card computes. A model whose embeddings then differ too much from those that "
       "it came with gets the next finer one. auto: fp16 on a card; the CPU has fp32 alone."},
      {"model_threads", &c.model_threads, InRange(0, 256),
       "Threads of one forward pass. 0: as many as the machine has cores."},
      {"max_batch", &c.max_batch, InRange(0, 256),
       "The largest number of faces in one forward pass. Every size up to it is warmed up at the "
       "start. 0: 8 on the CPU, 128 on a card."},
      {"face_queue", &c.face_queue, InRange(1, 65536),
       "Faces that may wait for the model; beyond it calls get QUEUE_FULL."},
      {"detector", &c.detector, OneOf({"auto", "yunet", "haar", "haar-eyes", "none"}),
       "What finds faces in pictures. haar: a cascade and the bundled landmark network. "
       "haar-eyes: cascades only, less accurate. auto: yunet when detector_model is given, else "
       "haar. none: only aligned crops and embeddings are taken."},
      {"detector_model", &c.detector_model, "The YuNet ONNX file (2023)."},
      {"detector_landmarks", &c.detector_landmarks,
       "Another landmark network for haar: a file that facegate-train fit-landmarks made. Empty: "
       "the bundled one."},
      {"haar_dir", &c.haar_dir, "The folder of the cascade files; Debian's package opencv-data."},
      {"min_face_pixels", &c.min_face_pixels, InRange(20, 10000),
       "Faces of this width in pixels are looked for however large the picture is (in pictures "
       "of about two megapixels from 1.25 times this on). Smaller ones are found in small "
       "pictures only; a smaller value makes the search of large pictures longer."},
      {"enrol_quality", &c.enrol_quality, InRange(0, 1),
       "The least quality of a face that is enrolled, where its collection does not say; below "
       "it LOW_QUALITY. Quality is the least of what is measured of the face (size, light, "
       "sharpness, pose and more), so 0.5 wants 0.5 of each. 0 takes every face: whoever enrols "
       "one bad photo opens the door to everybody with the same flaw."},
      {"probe_quality", &c.probe_quality, InRange(0, 1),
       "The least quality of a face that is compared, where neither its collection nor the "
       "request says; below it the decision is INCONCLUSIVE. 0 compares every face, also those "
       "that may match strangers."},
      {"worker_threads", &c.worker_threads, InRange(0, 1024),
       "Requests with photos handled at once. More of them fill larger batches and need more "
       "memory: each may hold one decoded picture. 0: four times the cores."},
      {"request_queue", &c.request_queue, InRange(1, 65536),
       "Requests that may wait for a worker; beyond it calls get QUEUE_FULL. Each holds its "
       "message in memory, see request_memory."},
      {"search_threads", &c.search_threads, InRange(0, 256),
       "Threads of one search, where there is enough to read for several. Fewer leave cores to "
       "other calls. 0: as many as the machine has cores."},
      {"index_device", &c.index_device,
       "What searches collections: cpu; cuda:N, the card of that number, with the answers that the "
       "CPU gives; or auto, the card cuda:0 in a build for GPUs, and the CPU where it cannot be "
       "used. What does not fit on the card is searched by the CPU."},
      {"index_device_memory_mb", &c.index_device_memory_mb, InRange(0, 1'000'000),
       "The most memory of the card that templates take there, in megabytes of 1,000,000 bytes; "
       "one takes twice as many bytes as it has values. 0: 70 % of what is free at the start, "
       "before the model is loaded."},
      {"max_image_bytes", &c.max_image_bytes, InRange(1024, 256 * kMiB),
       "The largest encoded image, bytes; beyond it IMAGE_TOO_LARGE."},
      {"max_image_pixels", &c.max_image_pixels, InRange(10000, 1'000'000'000),
       "The largest image, width times height; beyond it IMAGE_TOO_LARGE."},
      {"heif", &c.heif,
       "Take HEIC and AVIF too, where libheif is installed (Debian's package libheif1). Its "
       "decoders may need more memory than a picture's header says: turn it on only for pictures "
       "that you trust."},
      {"max_samples", &c.max_samples, InRange(1, 1000),
       "The largest number of faces in one Enroll."},
      {"max_candidates", &c.max_candidates, InRange(1, 10000),
       "The largest number of candidates for one face in Identify."},
      {"max_message_bytes", &c.max_message_bytes, InRange(0, 2047 * kMiB),
       "The largest request message, bytes; beyond it gRPC itself refuses, without details. At "
       "least two images and 64 KiB. 0: four images and 1 MiB."},
      {"request_memory", &c.request_memory, InRange(0, kTiB),
       "Bytes that the requests in progress may hold together, and again those that are still on "
       "their way in. Beyond it calls get QUEUE_FULL, or RESOURCE_EXHAUSTED or UNAVAILABLE of "
       "gRPC itself, without details. At least four messages. 0: eight messages, or 256 MiB where "
       "that is more."},
      {"decode_memory", &c.decode_memory, InRange(0, kTiB),
       "Bytes that the decoded pictures of the requests in progress may hold together; a picture "
       "for which there is no room waits, and one that is larger than all of it is decoded alone. "
       "0: 64 MiB for each core, or 512 MiB where that is more."},
      {"calls_per_connection", &c.calls_per_connection, InRange(1, 65536),
       "Calls of one connection at once; further ones wait at the client. gRPC ends the calls of "
       "one connection only one by one when messages pass request_memory, so that many large "
       "ones cost more than that."},
      {"drain_seconds", &c.drain_seconds, InRange(0, 3600),
       "How long a stop waits for calls in progress, seconds; it ends at most 5 seconds later, "
       "whatever they do."},
      {"reflection", &c.reflection,
       "Offer gRPC server reflection, so that tools can list and call the methods without the "
       "protos."},
      {"log_level", &c.log_level, OneOf({"debug", "info", "warning", "error", "off"}),
       "What is logged to standard error. debug: also a line for each call, with its outcome, "
       "its time and its size."},
      {"core_dumps", &c.core_dumps,
       "Let the system write a core file when the server crashes. It would hold templates, which "
       "are personal data."},
  };
}

}  // namespace facegate
