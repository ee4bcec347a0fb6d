/**
 * Plays several videos of the same frames in step. One is the clock, the others follow.
 *
 * A frame is shown by seeking to the middle of its time, where no rounding can hit its neighbour.
 */
class Transport {
  frame = 0;
  frames = 0;
  playing = false;
  repeats = true;
  #times = [0, 1]; // when each frame is shown, and when the last one has been, in seconds
  #speed = 1;
  #clock;
  #videos;
  #onFrame;
  #onPlaying;
  #wanted = new Map(); // video → time to seek to once the seek under way is done

  /**
   * @param clock the video that the others follow; they are muted.
   * @param onFrame called with no argument whenever `frame` has changed.
   * @param onPlaying called with no argument whenever `playing` has changed.
   */
  constructor(clock, followers, onFrame, onPlaying) {
    [this.#clock, this.#videos, this.#onFrame, this.#onPlaying] = [clock, [clock, ...followers], onFrame, onPlaying];
    clock.addEventListener("ended", () => this.#end());
    clock.addEventListener("pause", () => this.playing && !clock.ended && this.pause()); // the browser may stop it
    for (const video of this.#videos) {
      video.addEventListener("seeked", () => this.#seekOn(video));
      video.addEventListener("loadedmetadata", () => this.#join(video));
    }
  }

  get seconds() {
    return this.#times[this.frame];
  }

  /**
   * New videos are about to come.
   * @param times when each frame is shown, and when the last one has been, in seconds.
   */
  load(times) {
    this.pause();
    [this.frames, this.#times] = [times.length - 1, times];
    this.seek(0);
  }

  /** Pauses at a frame; one beyond the ends is taken for the last or first. */
  seek(frame) {
    this.#stop();
    this.#show(clamp(frame, 0, this.frames - 1));
    for (const video of this.#videos) this.#seekTo(video, this.#middle);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.playing || !this.#clock.src) return;
    if (this.frame === this.frames - 1) this.seek(0);
    this.playing = true;
    this.#start();
    this.#onPlaying();
    requestAnimationFrame(this.#tick);
  }

  /** Stops at the frame that the clock shows, and brings the others to it. */
  pause() {
    if (this.playing) this.seek(this.#frameOfClock);
  }

  set speed(speed) {
    this.#speed = speed;
    for (const video of this.#videos) video.playbackRate = speed;
  }

  get #middle() {
    return (this.#times[this.frame] + this.#times[this.frame + 1]) / 2;
  }

  get #frameOfClock() {
    const now = this.#clock.currentTime;
    let [low, high] = [0, this.frames]; // it is not before the one and before the other
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#times[middle] <= now + 1e-3 * this.#length(middle)) low = middle;
      else high = middle;
    }
    return low;
  }

  #length(frame) {
    return this.#times[frame + 1] - this.#times[frame];
  }

  #show(frame) {
    this.frame = frame;
    this.#onFrame();
  }

  /** A video that has just come takes its place among the others. */
  #join(video) {
    video.playbackRate = this.#speed;
    this.#seekTo(video, this.playing ? this.#clock.currentTime : this.#middle);
    if (this.playing) this.#startOne(video);
  }

  #start() {
    for (const video of this.#videos) this.#startOne(video);
  }

  #startOne(video) {
    // A video that is taken away, or not allowed to play, refuses; without its clock nothing plays.
    video.play().catch(() => video === this.#clock && video.paused && this.pause());
  }

  #stop() {
    if (!this.playing) return;
    this.playing = false;
    for (const video of this.#videos) video.pause();
    this.speed = this.#speed;
    this.#onPlaying();
  }

  #end() {
    if (!this.playing) return;
    if (!this.repeats) {
      this.seek(this.frames - 1);
      return;
    }
    for (const video of this.#videos) video.currentTime = 0;
    this.#start();
  }

  #tick = () => {
    if (!this.playing) return;
    if (this.#frameOfClock !== this.frame) this.#show(this.#frameOfClock);
    for (const video of this.#videos.slice(1)) this.#keepPace(video);
    requestAnimationFrame(this.#tick);
  };

  /** A follower that is half a frame off, or 0.04 s, runs a little faster or slower; far off, it jumps. */
  #keepPace(video) {
    if (video.seeking || this.#clock.seeking) return;
    const behind = this.#clock.currentTime - video.currentTime;
    if (Math.abs(behind) > 0.3) video.currentTime = this.#clock.currentTime;
    const off = Math.abs(behind) > Math.min(0.5 * this.#length(this.frame), 0.04);
    const rate = this.#speed * (off ? 1 + 0.15 * Math.sign(behind) : 1);
    if (video.playbackRate !== rate) video.playbackRate = rate;
  }

  /** A seek never breaks off one under way: each video shows as many frames of a scrub as it can, and the last. */
  #seekTo(video, time) {
    this.#wanted.set(video, time);
    if (!video.seeking) this.#seekOn(video);
  }

  #seekOn(video) {
    if (!this.#wanted.has(video)) return;
    video.currentTime = this.#wanted.get(video);
    this.#wanted.delete(video);
  }
}
