#include "tests/integration/refusing_states.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <utility>

#include "face/base/check.h"
#include "facegate/v1/face_service.pb.h"
#include "facegate/v1/gallery_service.grpc.pb.h"
#include "tests/integration/controlled_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/pattern_image.h"
#include "tests/support/person_scores.h"

namespace facegate {
namespace {

using Code = grpc::StatusCode;
using namespace std::chrono_literals;

constexpr char kEmbed[] = "/facegate.v1.FaceService/Embed";
constexpr char kCreate[] = "/facegate.v1.GalleryService/CreateCollection";
constexpr char kEnroll[] = "/facegate.v1.FaceService/Enroll";

std::string EmbedRequestOf(bool as_photo) {
  v1::EmbedRequest request;
  v1::Probe* const probe = request.mutable_probe();
  as_photo ? probe->set_image(PatternPng(1)) : probe->set_aligned_crop(PatternPng(1));
  if (as_photo) probe->set_face_selection(v1::FACE_SELECTION_SINGLE);
  return request.SerializeAsString();
}

std::string CreateRequestOf(const std::string& id) {
  v1::CreateCollectionRequest request;
  request.set_collection_id(id);
  return request.SerializeAsString();
}

// Enrols `crops` crops under a request id.
std::string EnrollRequestOf(uint64_t crops) {
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("a");
  request.set_request_id("01234567-89ab-cdef-8081-f2f3f4f5f6f7");
  for (uint64_t seed = 1; seed <= crops; ++seed) {
    request.add_samples()->set_aligned_crop(PatternPng(seed));
  }
  return request.SerializeAsString();
}

WireAnswer NotReady() {
  const ControlledServer server;  // never loads
  return server.Call(kEmbed, EmbedRequestOf(false));
}

// Returns what a call gets while another one waits for the model.
WireAnswer WhileTheModelIsBusy(ControlledServer& server,
                               const std::function<WireAnswer()>& meanwhile) {
  server.embedder->Block();
  std::jthread running([&server] { server.Call(kEmbed, EmbedRequestOf(false)); });
  server.embedder->WaitForCalls(1);
  WireAnswer answer = meanwhile();
  server.embedder->Unblock();
  return answer;
}

WireAnswer ShuttingDown() {
  ControlledServer server;
  server.Serve();
  std::jthread stopper;
  return WhileTheModelIsBusy(server, [&] {
    stopper = std::jthread([&server] { server.app->Stop(60s); });
    WireAnswer answer;
    do {  // listing is answered until the stop begins
      answer = server.Call("/facegate.v1.GalleryService/ListCollections", "");
    } while (answer.code == 0);
    return answer;
  });
}

WireAnswer QueueFull() {
  ControlledServer server([](Config& config) {
    config.worker_threads = 1;
    config.request_queue = 1;
  });
  server.Serve();
  // One of two more waits and the other is refused, whichever comes first.
  WireAnswer refused;
  std::latch one_refused(1);
  std::jthread others[2];
  return WhileTheModelIsBusy(server, [&] {
    for (std::jthread& other : others) {
      other = std::jthread([&] {
        WireAnswer answer = server.Call(kEmbed, EmbedRequestOf(false));
        if (answer.code == 0) return;
        refused = std::move(answer);
        one_refused.count_down();
      });
    }
    one_refused.wait();
    return refused;
  });
}

WireAnswer MemoryFull() {
  ControlledServer server([](Config& config) {
    config.max_image_bytes = 64 * 1024;
    config.worker_threads = 8;
    config.request_memory = 2 * EffectiveMaxMessageBytes(config);
  });
  server.Serve();
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("a");
  for (int i = 0; i < 16; ++i) {
    request.add_samples()->set_aligned_crop(PatternPng(1));
    request.mutable_samples(i)->mutable_aligned_crop()->resize(64 * 1024);
  }
  FACEGATE_CHECK(server.Call(kCreate, CreateRequestOf("people")).code == 0);
  const std::string bytes = request.SerializeAsString();
  WireAnswer refused;
  std::latch one_refused(1);
  std::vector<std::jthread> others;
  return WhileTheModelIsBusy(server, [&] {
    // Each holds 1 MiB and waits for the model: two fit.
    std::atomic<bool> first = true;
    for (int i = 0; i < 4; ++i) {
      others.emplace_back([&] {
        WireAnswer answer = server.Call(kEnroll, bytes);
        if (answer.reason != "QUEUE_FULL" || !first.exchange(false)) return;
        refused = std::move(answer);
        one_refused.count_down();
      });
    }
    one_refused.wait();
    return refused;
  });
}

// The time passes while the call waits for a worker; its client waits on by a clock of its own.
WireAnswer DeadlinePassed() {
  FakeClock clock;
  ControlledServer server(
      [](Config& config) {
        config.worker_threads = 1;
        config.request_queue = 1;
      },
      clock);
  server.Serve();
  // The other one has arrived and waits in the queue when one of two is refused because it is full.
  WireAnswer late;
  std::latch one_refused(1);
  std::jthread others[2];
  WhileTheModelIsBusy(server, [&] {
    for (std::jthread& other : others) {
      other = std::jthread([&] {
        WireAnswer answer = server.Call(kEmbed, EmbedRequestOf(false));
        if (answer.reason == "QUEUE_FULL") {
          one_refused.count_down();
        } else {
          late = std::move(answer);
        }
      });
    }
    one_refused.wait();
    clock.Advance(std::chrono::hours(1));
    return WireAnswer{};
  });
  for (std::jthread& other : others) other.join();
  return late;
}

// One template more than an identity may have.
WireAnswer TooManyTemplates() {
  constexpr int kMost = 1000;
  ControlledServer server([](Config& config) { config.max_samples = kMost; });
  server.Serve();
  FACEGATE_CHECK(server.Call(kCreate, CreateRequestOf("people")).code == 0);
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("a");
  v1::TaggedEmbedding embedding;
  embedding.set_model_digest(server.embedder->card().model_digest);
  for (int i = 0; i < FakeEmbedder::kEmbeddingSize; ++i) embedding.add_values(1.0f);
  for (int i = 0; i < kMost; ++i) *request.add_samples()->mutable_embedding() = embedding;
  EXPECT_EQ(server.Call(kEnroll, request.SerializeAsString()).code, 0);
  request.mutable_samples()->DeleteSubrange(1, kMost - 1);
  return server.Call(kEnroll, request.SerializeAsString());
}

// A retry whose answer would name a template that is no more.
WireAnswer AnswerErased() {
  ControlledServer server;
  server.Serve();
  FACEGATE_CHECK(server.Call(kCreate, CreateRequestOf("people")).code == 0);
  const std::string enroll = EnrollRequestOf(2);
  EXPECT_EQ(server.Call(kEnroll, enroll).code, 0);
  const auto stub = v1::GalleryService::NewStub(server.channel);
  v1::ListTemplatesRequest list;
  list.set_collection_id("people");
  list.set_identity_id("a");
  v1::ListTemplatesResponse templates;
  grpc::ClientContext listing;
  EXPECT_TRUE(stub->ListTemplates(&listing, list, &templates).ok());
  v1::DeleteTemplateRequest erase;
  erase.set_collection_id("people");
  erase.set_identity_id("a");
  erase.set_template_id(templates.templates(0).id());
  v1::DeleteTemplateResponse erased;
  grpc::ClientContext erasing;
  EXPECT_TRUE(stub->DeleteTemplate(&erasing, erase, &erased).ok());
  return server.Call(kEnroll, enroll);
}

// The second call of a client that does not wait for the answer of its first one.
WireAnswer RequestInProgress() {
  ControlledServer server;
  server.Serve();
  FACEGATE_CHECK(server.Call(kCreate, CreateRequestOf("people")).code == 0);
  const std::string bytes = EnrollRequestOf(1);
  const auto enroll = [&] { return server.Call(kEnroll, bytes); };
  server.embedder->Block();
  std::jthread first([&] { EXPECT_EQ(enroll().code, 0); });
  server.embedder->WaitForCalls(1);
  WireAnswer second = enroll();
  server.embedder->Unblock();
  first.join();
  EXPECT_EQ(enroll().code, 0) << "the first answer is given again";
  return second;
}

// A collection "people" with a guard, in a server whose model is calibrated.
WireAnswer EnrolGuarded(const std::function<void(v1::CreateCollectionRequest&)>& guard,
                        const std::string& second_identity, uint64_t second_face) {
  ControlledServer server;
  auto calibration = PersonScores(100, 1).Calibrate();
  FACEGATE_CHECK(calibration.ok());
  server.calibration = *std::move(calibration);
  server.Serve();
  v1::CreateCollectionRequest create;
  create.set_collection_id("people");
  guard(create);
  EXPECT_EQ(server.Call(kCreate, create.SerializeAsString()).code, 0);
  const auto enroll = [&](const std::string& identity, uint64_t face) {
    v1::EnrollRequest request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    request.add_samples()->set_aligned_crop(PatternPng(face));
    return server.Call(kEnroll, request.SerializeAsString());
  };
  EXPECT_EQ(enroll("a", 1).code, 0);
  return enroll(second_identity, second_face);
}

WireAnswer CompareUncalibrated() {
  v1::CompareRequest request;
  request.mutable_first()->set_aligned_crop(PatternPng(1));
  request.mutable_second()->set_aligned_crop(PatternPng(2));
  request.mutable_operating_point()->set_fmr(0.01);
  return ControlledServer().Serve().Call("/facegate.v1.FaceService/Compare",
                                         request.SerializeAsString());
}

WireAnswer ModelFails() {
  ControlledServer server;
  server.Serve();
  server.embedder->FailWith(Internal("a text for the log alone"));
  WireAnswer answer = server.Call(kEmbed, EmbedRequestOf(false));
  EXPECT_EQ(answer.message.find("for the log alone"), std::string::npos);
  return answer;
}

WireAnswer StoreFails(const Status& how) {
  ControlledServer server;
  server.Serve();
  server.store->FailNextWrite(how);
  WireAnswer answer = server.Call(kCreate, CreateRequestOf("people"));
  EXPECT_EQ(server.Call(kCreate, CreateRequestOf("people")).code, 0) << "nothing was written";
  return answer;
}

WireAnswer WithFaces(std::vector<DetectedFace> faces) {
  ControlledServer server;
  server.faces = std::move(faces);
  return server.Serve().Call(kEmbed, EmbedRequestOf(true));
}

}  // namespace

std::vector<HostileRow> RefusingStates() {
  return {
      {"while loading", NotReady, Code::UNAVAILABLE, "NOT_READY", "", "still loading"},
      {"while stopping", ShuttingDown, Code::UNAVAILABLE, "SHUTTING_DOWN", "", "shutting down"},
      {"queue full", QueueFull, Code::RESOURCE_EXHAUSTED, "QUEUE_FULL", "",
       "1 requests are already waiting, which is the limit"},
      {"memory full", MemoryFull, Code::RESOURCE_EXHAUSTED, "QUEUE_FULL", "",
       "hold [0-9]+ bytes and this one has [0-9]+; together they may hold 2621440"},
      {"too late", DeadlinePassed, Code::DEADLINE_EXCEEDED, "DEADLINE", "", "deadline passed"},
      {"request at work", RequestInProgress, Code::ABORTED, "REQUEST_IN_PROGRESS", "", "at work"},
      {"too many templates", TooManyTemplates, Code::RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED", "",
       "1001 templates, it must have at most 1000"},
      {"answer erased", AnswerErased, Code::FAILED_PRECONDITION, "ANSWER_ERASED", "",
       "made before"},
      {"a rate without a calibration", CompareUncalibrated, Code::FAILED_PRECONDITION,
       "CALIBRATION_UNSUPPORTED", "", "operating_point: fmr needs a calibration"},
      {"a face that is enrolled",
       [] { return EnrolGuarded([](auto& create) { create.set_duplicate_fmr(0.01); }, "b", 1); },
       Code::ALREADY_EXISTS, "DUPLICATE_FACE", "",
       "samples.0.: the face belongs to another identity"},
      {"a face unlike the others",
       [] {
         return EnrolGuarded([](auto& create) { create.set_identity_match_fmr(0.01); }, "a", 2);
       },
       Code::FAILED_PRECONDITION, "IDENTITY_MISMATCH", "",
       "samples.0.: the face does not match the other"},
      {"model fails", ModelFails, Code::INTERNAL, "INTERNAL", "",
       "log has it as request [0-9a-f]{16}-[0-9]+"},
      {"disk full",
       [] { return StoreFails(Refuse(Reason::kStoreFull, "writing: the disk is full")); },
       Code::RESOURCE_EXHAUSTED, "STORE_FULL", "", "disk is full"},
      {"store damaged",
       [] { return StoreFails(Refuse(Reason::kStoreCorrupt, "writing: bytes do not check")); },
       Code::DATA_LOSS, "STORE_CORRUPT", "", "do not check"},
      {"no face", [] { return WithFaces({}); }, Code::INVALID_ARGUMENT, "NO_FACE", "probe.image",
       "112x112"},
      {"two faces for SINGLE",
       [] {
         return WithFaces({FaceAt(0, 0), FaceAt(3, 3)});
       },
       Code::INVALID_ARGUMENT, "MULTIPLE_FACES", "probe.image",
       "2 faces found, exactly one is expected"},
      {"picture of 41 megapixels",
       [] {
         ControlledServer server;
         v1::DetectRequest request;
         request.set_image(EncodePng(cv::Mat::zeros(6400, 6400, CV_8UC1)));
         return server.Serve().Call("/facegate.v1.FaceService/Detect", request.SerializeAsString());
       },
       Code::INVALID_ARGUMENT, "IMAGE_TOO_LARGE", "image",
       "6400x6400, which is 40960000 pixels, the limit is 40000000"}};
}

}  // namespace facegate
